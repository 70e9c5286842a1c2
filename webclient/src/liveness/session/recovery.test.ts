import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Recovery, recovery } from './recovery';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function recovering(...states: RTCPeerConnectionState[]) {
  const restart = vi.fn();
  const lost = vi.fn();
  const r = new Recovery(restart, lost);
  for (const s of states) r.become(s);
  return { r, restart, lost };
}

describe('Recovery', () => {
  it('restarts once when a connection stays disconnected, and gives up in the end', () => {
    const { r, restart, lost } = recovering('connected', 'disconnected');
    vi.advanceTimersByTime(recovery.patience - 1);
    expect(restart).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(restart).toHaveBeenCalledOnce();
    r.become('connecting');
    r.become('disconnected');
    r.become('failed');
    vi.advanceTimersByTime(recovery.limit - 1);
    expect(restart).toHaveBeenCalledOnce();
    expect(lost).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(lost).toHaveBeenCalledOnce();
  });

  it('leaves a connection alone that mends itself', () => {
    const { restart, lost } = recovering('connected', 'disconnected', 'connected');
    vi.runAllTimers();
    expect(restart).not.toHaveBeenCalled();
    expect(lost).not.toHaveBeenCalled();
  });

  it('restarts at once when a connection fails, and again after it was there', () => {
    const { r, restart, lost } = recovering('connected', 'failed', 'connecting', 'connected', 'failed');
    expect(restart).toHaveBeenCalledTimes(2);
    r.become('connected');
    vi.runAllTimers();
    expect(lost).not.toHaveBeenCalled();
  });

  it('a connection that never came is lost when it fails', () => {
    const { restart, lost } = recovering('connecting', 'failed');
    expect(restart).not.toHaveBeenCalled();
    expect(lost).toHaveBeenCalledOnce();
  });

  it('does nothing once closed', () => {
    const { r, restart, lost } = recovering('connected', 'disconnected');
    r.close();
    r.close();
    vi.runAllTimers();
    expect(restart).not.toHaveBeenCalled();
    expect(lost).not.toHaveBeenCalled();
  });
});
