import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOf, codeOfProblem, LivenessError } from './errors';

const declared = readFileSync(resolve(__dirname, '../../../ingest/problem_codes.go'), 'utf8');

describe('codeOfProblem', () => {
  it.each([
    ['overloaded', 'service_busy'],
    ['rate_limited', 'service_busy'],
    ['shutting_down', 'service_busy'],
    ['store_unavailable', 'service_busy'],
    ['scorer_unavailable', 'service_busy'],
    ['timeout', 'service_busy'],
    ['negotiation_timeout', 'connect_timeout'],
    ['protocol_error', 'protocol_error'],
    ['internal_error', 'server_error'],
  ])('%s → %s, a code that the server has', (code, want) => {
    expect(codeOfProblem(code)).toBe(want);
    expect(declared).toContain(`"${code}"`);
  });

  it('a code from the future is a server_error', () => expect(codeOfProblem('x')).toBe('server_error'));
});

describe('codeOf', () => {
  it.each([
    [new LivenessError('no_camera', 'detail'), 'no_camera'],
    [new TypeError('x'), 'server_error'],
    ['x', 'server_error'],
    [undefined, 'server_error'],
  ])('%s', (err, want) => expect(codeOf(err)).toBe(want));
});
