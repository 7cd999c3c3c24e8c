"""The talk with a judge: one request a line on standard input, one answer a line on standard output.

A request is an object, the answer another, or {"error"}. Questions for what a table holds are
{"path", "version"?, "notNull"?}, answered by {"schema", "rows", "total"} as README.md describes.
"""
import json
import os
import sys

# What libraries print, and the JVM that Spark starts, must not mix with the answers.
OUT = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def serve(answer):
    OUT.write('{"ready":true}\n')
    OUT.flush()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = answer(request)
        except Exception as error:  # the reason goes to the test, which knows what may be refused
            reply = {"error": f"{type(error).__name__}: {error}"[:2000]}
        OUT.write(json.dumps(reply, ensure_ascii=False) + "\n")
        OUT.flush()
