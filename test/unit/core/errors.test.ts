import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ApiError,
  errorClassOf,
  errorCodes,
  errorText,
  isAbort,
  isPipelineError,
  MessageError
} from '../../../src/core/index.ts'

describe('errors', () => {
  it('take class and retryability from their code, unless the thrower knows better', () => {
    assert.equal(new ApiError('API_THROTTLED', 'x').retryable, true)
    assert.equal(new ApiError('API_NOT_FOUND', 'x').retryable, false)
    const overridden = new ApiError('API_NOT_FOUND', 'x', { errorClass: 'transient' })
    assert.equal(overridden.errorClass, 'transient')
    assert.equal(overridden.retryable, true)
  })

  it('keep their cause and name', () => {
    const cause = new Error('inner')
    const error = new MessageError('MESSAGE_INVALID', 'outer', { cause })
    assert.equal(error.cause, cause)
    assert.equal(error.name, 'MessageError')
  })

  it('are told from foreign values without ever throwing', () => {
    for (const value of [null, undefined, 1, 'text', {}, new Error('x'), Object.create(null)]) {
      assert.equal(isPipelineError(value), false)
      assert.equal(errorClassOf(value), 'unknown')
    }
  })

  it('give texts of at most 500 characters', () => {
    assert.equal(errorText(new Error('a'.repeat(500))).length, 500)
    const cut = errorText(new Error('a'.repeat(501)))
    assert.equal(cut.length, 500)
    assert.ok(cut.endsWith('...'))
  })

  it('know an abort by name or by its signal', () => {
    const aborted = AbortSignal.abort()
    assert.equal(isAbort(aborted.reason), true)
    assert.equal(isAbort(new Error('x'), aborted), true)
    assert.equal(isAbort(new Error('x')), false)
  })

  it('have a meaning and a remedy for every code', () => {
    for (const [code, info] of Object.entries(errorCodes)) {
      assert.match(code, /^[A-Z][A-Z_]+$/)
      assert.ok(info.meaning.endsWith('.') && info.remedy.endsWith('.'), code)
    }
  })
})
