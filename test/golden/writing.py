"""What the scripts that make golden tables share: where a table lies, its archive, its catalogue."""
import io
import json
import os
import pathlib
import shutil
import sys
import tarfile
import tempfile

import pyarrow

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "interop" / "judges"))

TABLES = []


def table(name, feature, shows, **how):
    """Registers a function that writes the table `name`; `how`: versions, refused, changes, txn, domains."""

    def register(make):
        TABLES.append({"name": name, "feature": feature, "shows": shows, "make": make, **how})
        return make

    return register


def versions_in(path):
    """Newest version, and those whose commit file is still there."""
    log = os.listdir(os.path.join(path, "_delta_log"))
    commits = sorted(int(n[:20]) for n in log if n.endswith(".json") and n[:20].isdigit() and len(n) == 25)
    return commits


def make_all(made_by, reader, wanted):
    """Writes each table in a directory of its own and packs it with what `reader` says of it."""
    target = HERE / "tables"
    target.mkdir(exist_ok=True)
    failed = []
    for entry in TABLES:
        if wanted and entry["name"] not in wanted:
            continue
        try:
            with tempfile.TemporaryDirectory(prefix="golden-") as directory:
                make_one(made_by, reader, entry, directory, target)
        except Exception as error:  # the others are still made
            failed.append(entry["name"])
            print(entry["name"], "FAILED", str(error)[:400], flush=True)
    catalogue(target)
    if failed:
        sys.exit("Not made: " + ", ".join(failed))


def make_one(made_by, reader, entry, directory, target):
    path = os.path.join(directory, "delta")
    entry["make"](path)
    expected = {"name": entry["name"], "madeBy": made_by, "feature": entry["feature"], "shows": entry["shows"]}
    for key in ("refused", "txn", "domains"):
        if key in entry:
            expected[key] = entry[key]
    commits = versions_in(path)
    versions = [] if "refused" in entry else entry.get("versions", commits[-6:])
    expected["latest"] = commits[-1]
    expected["versions"] = {str(v): reader(path, v) for v in versions}
    if "changes" in entry:
        expected["changes"] = entry["changes"](path)
    pack(directory, expected, target / (entry["name"] + ".tar.zst"))
    print(entry["name"], list(expected["versions"]), flush=True)


def pack(directory, expected, target):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        text = json.dumps(expected, ensure_ascii=False, separators=(",", ":")).encode()
        member = tarfile.TarInfo("expected.json")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
        root = os.path.join(directory, "delta")
        for folder, _, files in sorted(os.walk(root)):
            for name in sorted(files):
                file = os.path.join(folder, name)
                member = archive.gettarinfo(file, os.path.relpath(file, directory))
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                member.mode = 0o644
                with open(file, "rb") as content:
                    archive.addfile(member, content)
    packed = pyarrow.Codec("zstd", compression_level=19).compress(buffer.getvalue(), asbytes=True)
    target.write_bytes(packed)


def unpacked(archive):
    """What `expected.json` of a packed table says."""
    content = pyarrow.input_stream(str(archive), compression="zstd").read()
    with tarfile.open(fileobj=io.BytesIO(content)) as members:
        return json.load(members.extractfile("expected.json"))


def catalogue(target):
    """The list of tables at the end of README.md."""
    readme = HERE / "README.md"
    lines = ["| table | made by | feature | versions with rows | shows |", "| --- | --- | --- | --- | --- |"]
    for archive in sorted(target.glob("*.tar.zst")):
        about = unpacked(archive)
        versions = ", ".join(about["versions"]) or f"refused: {about.get('refused')}"
        lines.append(f"| {about['name']} | {about['madeBy']} | {about['feature']} | {versions} | {about['shows']} |")
    head = readme.read_text().split("## Catalogue")[0]
    readme.write_text(head + "## Catalogue\n\n" + "\n".join(lines) + "\n")


def age_log(path, below, days=60):
    """Makes commit files of versions under `below` look `days` old, so that a checkpoint cleans them."""
    log = os.path.join(path, "_delta_log")
    for name in os.listdir(log):
        if name[:20].isdigit() and int(name[:20]) < below:
            file = os.path.join(log, name)
            then = os.stat(file).st_mtime - days * 86_400
            os.utime(file, (then, then))


def copy(source, target):
    shutil.copytree(source, target)
