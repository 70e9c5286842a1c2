// What the agent is told, as a function of what was heard. "live" is shown only while a running session's newest state says so.

/**
 * connecting: nothing was heard yet. pending: not confirmed. live: confirmed now. spoof: a suspected attack. lost: it was live, and is
 * not confirmed any more. unknown: the connection to the server is lost, or was refused. ended: the session has ended.
 */
export type Status = 'connecting' | 'pending' | 'live' | 'spoof' | 'lost' | 'unknown' | 'ended';

export type Verdict = 'pending' | 'live' | 'spoof' | 'inconclusive';

export interface Standing {
  readonly status: Status;
  /** Since when, in ms since 1970; undefined when it is not known. */
  readonly since: number | undefined;
  /** The server's first reason code, '' without one. */
  readonly reason: string;
  /** The last verdict that was heard, '' before the first. */
  readonly verdict: Verdict | '';
  readonly sessionId: string;
  /** It was live before, and is not live now for another reason than a regular end. */
  readonly alarm: boolean;
  /** The session that was live at some time, '' when none was. */
  readonly wasLive: string;
}

export const initial: Standing = {
  status: 'connecting',
  since: undefined,
  reason: '',
  verdict: '',
  sessionId: '',
  alarm: false,
  wasLive: '',
};

/** What the connection tells: a state as the server wrote it, the end, or that nothing can be known. */
export type Heard =
  { readonly type: 'state'; readonly data: unknown } | { readonly type: 'end' } | { readonly type: 'silence'; readonly at: number };

export function next(s: Standing, heard: Heard): Standing {
  switch (heard.type) {
    case 'state':
      return told(s, heard.data);
    case 'end':
      return s.status === 'spoof' || s.status === 'ended' ? s : { ...s, status: 'ended', alarm: s.alarm && s.verdict !== 'live' };
    case 'silence':
      if (s.status === 'unknown' || s.status === 'ended') return s;
      return { ...s, status: 'unknown', since: heard.at, reason: '', alarm: s.alarm || s.status === 'live' };
  }
}

function told(s: Standing, data: unknown): Standing {
  const {
    id,
    state,
    verdict: given,
    reasons,
    changed_at,
  } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  const verdict = verdicts.find((v) => v === given) ?? 'pending'; // a verdict of a newer server does not confirm
  const sessionId = typeof id === 'string' ? id : '';
  const wasLive = s.wasLive === sessionId ? s.wasLive : '';
  const status = statusOf(typeof state === 'string' ? state : '', verdict, wasLive !== '');
  return {
    status,
    since: time(changed_at),
    reason: Array.isArray(reasons) && typeof reasons[0] === 'string' ? reasons[0] : '',
    verdict,
    sessionId,
    alarm: wasLive !== '' && status !== 'live' && verdict !== 'live',
    wasLive: status === 'live' ? sessionId : wasLive,
  };
}

const verdicts: readonly Verdict[] = ['pending', 'live', 'spoof', 'inconclusive'];
const terminal = new Set(['decided', 'expired', 'failed']);

function statusOf(state: string, verdict: Verdict, wasLive: boolean): Status {
  if (verdict === 'spoof') return 'spoof';
  if (terminal.has(state)) return 'ended';
  if (verdict === 'live' && state === 'streaming') return 'live';
  return wasLive ? 'lost' : 'pending';
}

function time(text: unknown): number | undefined {
  const ms = typeof text === 'string' ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
