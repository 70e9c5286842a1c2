import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LivenessError } from '../errors';
import { fakeStream } from '../testing';
import { Camera, type CameraChoice } from './camera';
import { CameraKeeper, keeping } from './keeper';

const live = new AbortController().signal;
let streams: MediaStream[];
let log: string[];
let keeper: CameraKeeper;

const open = vi.fn<(choice: CameraChoice) => Promise<Camera>>();
const gives = () => Camera.open(live, {}, { getUserMedia: async () => streams[streams.push(fakeStream()) - 1] } as unknown as MediaDevices);
const refuses = (code: 'camera_in_use' | 'no_camera' | 'permission_denied') => () => Promise.reject(new LivenessError(code));
const track = (n: number) => streams[n]!.getTracks()[0]!;
const happens = (n: number, type: string) => track(n).dispatchEvent(new Event(type));
const running = () => streams.map((_, n) => track(n).readyState);

beforeEach(async () => {
  vi.useFakeTimers();
  streams = [];
  log = [];
  open.mockReset().mockImplementation(gives);
  keeper = new CameraKeeper(
    open,
    { facing: 'user' },
    {
      changed: () => log.push('changed'),
      paused: (now) => log.push(now ? 'paused' : 'back'),
      lost: (error) => log.push(error),
    },
  );
  await keeper.start();
});
afterEach(() => {
  keeper.close();
  expect(running().every((s) => s === 'ended')).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('muted', () => {
  it('comes back by itself', async () => {
    happens(0, 'mute');
    await vi.advanceTimersByTimeAsync(keeping.patience - 1);
    happens(0, 'unmute');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log).toEqual(['paused', 'back']);
    expect(open).toHaveBeenCalledOnce();
  });

  it('is opened again when it does not', async () => {
    happens(0, 'mute');
    await vi.advanceTimersByTimeAsync(keeping.patience);
    expect(log).toEqual(['paused', 'back', 'changed']);
    expect(running()).toEqual(['ended', 'live']);
  });

  it('may be so from the beginning: no event tells of that', async () => {
    open.mockImplementationOnce(async () => {
      const camera = await gives();
      Object.assign(camera.track, { muted: true });
      return camera;
    });
    happens(0, 'ended');
    await vi.advanceTimersByTimeAsync(0);
    expect(log).toEqual(['paused', 'back', 'paused', 'changed']);
    await vi.advanceTimersByTimeAsync(keeping.patience);
    expect(log.slice(4)).toEqual(['back', 'changed']);
    expect(running()).toEqual(['ended', 'ended', 'live']);
  });

  it('is lost when it cannot be', async () => {
    open.mockImplementation(refuses('camera_in_use'));
    happens(0, 'mute');
    await vi.advanceTimersByTimeAsync(keeping.patience);
    expect(log).toEqual(['paused', 'camera_lost']);
  });
});

describe('ended', () => {
  it('is opened again at once, with the same choice', async () => {
    happens(0, 'ended');
    await vi.advanceTimersByTimeAsync(0);
    expect(log).toEqual(['paused', 'back', 'changed']);
    expect(open.mock.calls).toEqual([[{ facing: 'user' }], [{ facing: 'user' }]]);
  });

  it('waits for a call that holds it', async () => {
    open.mockImplementation(refuses('camera_in_use'));
    happens(0, 'ended');
    await vi.advanceTimersByTimeAsync(3 * keeping.every);
    open.mockImplementation(gives);
    await vi.advanceTimersByTimeAsync(keeping.every);
    expect(log).toEqual(['paused', 'back', 'changed']);
    expect(open).toHaveBeenCalledTimes(6);
  });

  it.each([
    ['camera_in_use', 'camera_lost'],
    ['no_camera', 'camera_lost'],
    ['permission_denied', 'permission_denied'],
  ] as const)('%s in the end: %s', async (code, lost) => {
    open.mockImplementation(refuses(code));
    happens(0, 'ended');
    await vi.advanceTimersByTimeAsync(keeping.patience + keeping.every);
    expect(log).toEqual(['paused', lost]);
  });

  it('close while it is opened again releases what comes', async () => {
    happens(0, 'ended');
    keeper.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(streams).toHaveLength(2);
    expect(log).toEqual(['paused']);
  });
});

describe('use', () => {
  it('changes the camera, and the former one means nothing any more', async () => {
    await keeper.use({ deviceId: 'b' });
    expect(open).toHaveBeenLastCalledWith({ deviceId: 'b' });
    expect(running()).toEqual(['ended', 'live']);
    happens(0, 'mute');
    happens(0, 'ended');
    expect(log).toEqual(['back', 'changed']); // a person who switches need not end a call
  });

  it('goes back when the other camera cannot be opened', async () => {
    open.mockImplementationOnce(refuses('no_camera'));
    await keeper.use({ deviceId: 'gone' });
    expect(open).toHaveBeenLastCalledWith({ facing: 'user' });
    expect(log).toEqual(['paused', 'back', 'changed']);
    expect(running()).toEqual(['ended', 'live']);
  });

  it('twice in a row: the last choice counts, one camera runs', async () => {
    await Promise.all([keeper.use({ deviceId: 'b' }), keeper.use({ deviceId: 'c' })]);
    expect(open).toHaveBeenLastCalledWith({ deviceId: 'c' });
    expect(running().filter((s) => s === 'live')).toHaveLength(1);
    expect(keeper.camera?.track).toBe(track(2));
  });
});
