import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Content,
  extensionOf,
  judge,
  normalType,
  sniff
} from '../../../../src/adapters/http-files/file-type.ts'

const latin = (text: string) => Buffer.from(text, 'latin1')

const samples: [string, Buffer, Content][] = [
  ['jpeg', latin('\xff\xd8\xff\xe0\x00\x10JFIF'), 'jpeg'],
  ['png', latin('\x89PNG\r\n\x1a\n\x00\x00'), 'png'],
  ['gif', latin('GIF89a\x01\x00'), 'gif'],
  ['bmp', Buffer.concat([latin('BM\x9a\x00\x00\x00\x00\x00\x00\x00'), Buffer.alloc(40)]), 'bmp'],
  ['tiff, little endian', latin('II*\x00\x08\x00'), 'tiff'],
  ['tiff, big endian', latin('MM\x00*\x00\x08'), 'tiff'],
  ['webp', latin('RIFF\x00\x00\x00\x00WEBPVP8 '), 'webp'],
  ['heic', latin('\x00\x00\x00\x18ftypheic\x00\x00\x00\x00'), 'heic'],
  ['heif', latin('\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00'), 'heic'],
  ['mp4', latin('\x00\x00\x00\x18ftypisom\x00\x00\x02\x00'), 'mp4'],
  ['mov', latin('\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00'), 'mov'],
  ['old mov', latin('\x00\x00\x00\x08wide\x00\x00\x00\x00mdat'), 'mov'],
  ['pdf', latin('%PDF-1.7\n'), 'pdf'],
  ['pdf after junk', latin('junk\n%PDF-1.4\n'), 'pdf'],
  ['zip', latin('PK\x03\x04\x14\x00'), 'zip'],
  ['ole', latin('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00'), 'ole'],
  ['html', latin('\n<!DOCTYPE HTML>\n<html>'), 'html'],
  ['html behind a comment', latin('<!-- x --><html lang="en">'), 'html'],
  ['xhtml', latin('<?xml version="1.0"?><html xmlns="x">'), 'html'],
  ['xml', latin('\xef\xbb\xbf<?xml version="1.0"?><a/>'), 'xml'],
  ['xml without declaration', latin('<estimate id="1"/>'), 'xml'],
  ['json', latin('{"a": 1}'), 'text'],
  ['csv', latin('a,b\n1,2\n'), 'text'],
  ['utf-16 text', Buffer.from('\ufeffhello', 'utf16le'), 'text'],
  ['binary', Buffer.from([1, 2, 3, 0, 255]), 'unknown'],
  ['elf', latin('\x7fELF\x02\x01\x01\x00'), 'unknown'],
  ['windows program', latin('MZ\x90\x00\x03\x00'), 'unknown']
]

test('tells contents apart by their first bytes', () => {
  for (const [name, bytes, expected] of samples) assert.equal(sniff(bytes), expected, name)
})

test('accepts each allowed pair with its own type, with a generic one and with none', () => {
  const pairs: [string, Content, string][] = [
    ['jpg', 'jpeg', 'image/jpeg'],
    ['jpeg', 'jpeg', 'image/jpeg'],
    ['png', 'png', 'image/png'],
    ['gif', 'gif', 'image/gif'],
    ['bmp', 'bmp', 'image/bmp'],
    ['tif', 'tiff', 'image/tiff'],
    ['webp', 'webp', 'image/webp'],
    ['heic', 'heic', 'image/heic'],
    ['pdf', 'pdf', 'application/pdf'],
    ['xml', 'xml', 'text/xml'],
    ['txt', 'text', 'text/plain'],
    ['csv', 'text', 'text/csv'],
    ['json', 'text', 'application/json'],
    ['html', 'html', 'text/html'],
    ['doc', 'ole', 'application/msword'],
    ['xls', 'ole', 'application/vnd.ms-excel'],
    ['docx', 'zip', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['xlsx', 'zip', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    ['esx', 'zip', 'application/zip'],
    ['mp4', 'mp4', 'video/mp4'],
    ['mov', 'mov', 'video/quicktime'],
    ['mov', 'mp4', 'video/quicktime']
  ]
  for (const [extension, content, type] of pairs) {
    for (const declared of [type, 'application/octet-stream', 'binary/octet-stream', null]) {
      assert.equal(judge(content, extension, declared).ok, true, `${extension} ${declared}`)
    }
  }
})

test('refuses disagreement of name, content and type, and types that are not allowed', () => {
  const cases: [Content, string | undefined, string | null][] = [
    ['html', 'jpg', 'image/jpeg'],
    ['jpeg', 'jpg', 'text/html'],
    ['png', 'jpg', null],
    ['jpeg', 'pdf', 'application/pdf'],
    ['unknown', 'jpg', null],
    ['html', 'txt', 'text/plain'],
    ['zip', 'exe', null],
    ['text', 'svg', 'image/svg+xml'],
    ['xml', undefined, null],
    ['unknown', undefined, 'application/octet-stream']
  ]
  for (const [content, extension, declared] of cases) {
    assert.equal(judge(content, extension, declared).ok, false, `${content} ${extension}`)
  }
})

test('a name without extension leaves the decision to the content', () => {
  assert.deepEqual(judge('jpeg', undefined, 'image/jpeg'), { ok: true, contentType: 'image/jpeg' })
})

test('the extension comes from the name, else the path, else the query', () => {
  const url = new URL('https://h/get/uuid?x=1&filename=IMG%201.HEIC')
  assert.equal(extensionOf('a.b.JPG', url), 'jpg')
  assert.equal(extensionOf('', new URL('https://h/a/b.png?filename=c.pdf')), 'png')
  assert.equal(extensionOf('noext', url), 'heic')
  assert.equal(extensionOf('', new URL('https://h/a')), undefined)
})

test('declared types are compared without parameters and case', () => {
  assert.equal(normalType('Image/JPEG; charset=binary'), 'image/jpeg')
  assert.equal(normalType(' ; x'), null)
  assert.equal(normalType(undefined), null)
})
