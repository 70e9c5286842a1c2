// Everything that can end a check without a verdict. Each code has words in
// words/, which tell the person what to do about it.
export const errorCodes = [
  'insecure_context',
  'unsupported_browser',
  'permission_denied',
  'no_camera',
  'camera_in_use',
  'camera_lost',
  /** The page gives the element no way to get a session. */
  'not_configured',
  /** 401 from the page's own backend: the person is not signed in there. */
  'backend_unauthorized',
  /** 403 from the page's own backend: the person may not do this there. */
  'backend_forbidden',
  /** Any other failure of the page's own backend, or of its getSession. */
  'backend_error',
  /** Liveproof itself refused: the page's backend handed Liveproof's problem on, or a session was used twice. */
  'session_refused',
  'service_busy',
  'network',
  'connection_refused',
  'connect_timeout',
  'connection_lost',
  'interrupted',
  'protocol_error',
  'server_error',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export class LivenessError extends Error {
  override readonly name = 'LivenessError';

  constructor(
    readonly code: ErrorCode,
    /** For a developer, such as "HTTP 401"; '' when the code says it all. */
    readonly detail = '',
    options?: ErrorOptions,
  ) {
    super(detail ? `${code}: ${detail}` : code, options);
  }
}

// Codes of the server's problems (ingest/problem_codes.go) that waiting mends.
const busy = new Set(['overloaded', 'rate_limited', 'shutting_down', 'store_unavailable', 'scorer_unavailable', 'timeout']);

/** The code for a problem that the server names over signalling. */
export function codeOfProblem(code: string): ErrorCode {
  if (busy.has(code)) return 'service_busy';
  if (code === 'negotiation_timeout') return 'connect_timeout';
  return code === 'protocol_error' ? 'protocol_error' : 'server_error';
}

/** The code of any thrown value; what nobody foresaw is a server_error. */
export function codeOf(err: unknown): ErrorCode {
  return err instanceof LivenessError ? err.code : 'server_error';
}

/** What a thrown value says beyond its code, for a developer. */
export function detailOf(err: unknown): string {
  if (err instanceof LivenessError) return err.detail;
  return err instanceof Error ? err.message : '';
}
