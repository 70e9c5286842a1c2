import { describe, expect, it, vi } from 'vitest';
import { fakeStream } from '../testing';
import { Camera, cameraError, requested } from './camera';

const live = new AbortController().signal;
const devices = (get: MediaDevices['getUserMedia']) => ({ getUserMedia: get }) as MediaDevices;

describe('Camera.open', () => {
  it('asks for 640×480 at 15 frames a second from the front camera, without sound', async () => {
    const get = vi.fn().mockResolvedValue(fakeStream());
    await Camera.open(live, {}, devices(get));
    expect(get.mock.calls[0]?.[0]).toEqual({
      audio: false,
      video: { facingMode: 'user', width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 15 } },
    });
    expect(requested).toEqual({ width: 640, height: 480, frameRate: 15 });
  });

  it.each([
    [{ facing: 'environment' as const }, { facingMode: 'environment' }],
    [{ deviceId: 'x', facing: 'user' as const }, { deviceId: { exact: 'x' } }],
  ])('%j asks for that camera', async (choice, want) => {
    const get = vi.fn<MediaDevices['getUserMedia']>().mockResolvedValue(fakeStream());
    await Camera.open(live, choice, devices(get));
    const { facingMode, deviceId } = get.mock.calls[0]![0]!.video as MediaTrackConstraints;
    expect({ facingMode, deviceId }).toEqual({ facingMode: undefined, deviceId: undefined, ...want });
  });

  it('releases a camera that comes after the person cancelled', async () => {
    const stream = fakeStream();
    const gone = new AbortController();
    const opening = Camera.open(
      gone.signal,
      {},
      devices(async () => (gone.abort(), stream)),
    );
    await expect(opening).rejects.toThrow();
    expect(stream.getTracks().every((t) => t.readyState === 'ended')).toBe(true);
  });

  it('refuses a stream without video and releases it', async () => {
    const stream = fakeStream({ video: false });
    await expect(
      Camera.open(
        live,
        {},
        devices(async () => stream),
      ),
    ).rejects.toMatchObject({ code: 'no_camera' });
  });

  it('names an insecure context and a browser without cameras', async () => {
    vi.stubGlobal('isSecureContext', false);
    await expect(Camera.open(live)).rejects.toMatchObject({ code: 'insecure_context' });
    vi.stubGlobal('isSecureContext', true);
    await expect(Camera.open(live)).rejects.toMatchObject({ code: 'unsupported_browser' });
    vi.unstubAllGlobals();
  });

  it.each([
    ['NotAllowedError', 'permission_denied'],
    ['SecurityError', 'permission_denied'],
    ['NotFoundError', 'no_camera'],
    ['OverconstrainedError', 'no_camera'],
    ['NotReadableError', 'camera_in_use'],
    ['AbortError', 'camera_in_use'],
    ['TypeError', 'unsupported_browser'],
  ])('%s becomes %s', async (name, code) => {
    const err = new DOMException('', name);
    expect(cameraError(err)).toBe(code);
    await expect(
      Camera.open(
        live,
        {},
        devices(() => Promise.reject(err)),
      ),
    ).rejects.toMatchObject({ code });
  });
});

describe('Camera', () => {
  it('tells the settings in force', async () => {
    const camera = await Camera.open(
      live,
      {},
      devices(async () => fakeStream({ settings: { width: 320, height: 240 } })),
    );
    expect(camera.delivered()).toEqual({ width: 320, height: 240, frameRate: 0 });
  });

  it('stops every track, twice without harm, and does not call that a loss', async () => {
    const stream = fakeStream();
    const camera = await Camera.open(
      live,
      {},
      devices(async () => stream),
    );
    const lost = vi.fn();
    camera.onEnded(lost);
    camera.stop();
    camera.stop();
    stream.getTracks()[0]!.dispatchEvent(new Event('ended'));
    expect(stream.getTracks().map((t) => t.readyState)).toEqual(['ended']);
    expect(lost).not.toHaveBeenCalled();
  });

  it('reports an unplugged camera', async () => {
    const stream = fakeStream();
    const camera = await Camera.open(
      live,
      {},
      devices(async () => stream),
    );
    const lost = vi.fn();
    camera.onEnded(lost);
    stream.getTracks()[0]!.dispatchEvent(new Event('ended'));
    expect(lost).toHaveBeenCalledOnce();
  });

  it('tells when the pictures stop and come back, but not after stop', async () => {
    const stream = fakeStream();
    const camera = await Camera.open(
      live,
      {},
      devices(async () => stream),
    );
    const muted = vi.fn();
    camera.onMuted(muted);
    const track = stream.getTracks()[0]!;
    track.dispatchEvent(new Event('mute'));
    track.dispatchEvent(new Event('unmute'));
    camera.stop();
    track.dispatchEvent(new Event('mute'));
    expect(muted.mock.calls).toEqual([[true], [false]]);
  });

  it('lists cameras only', async () => {
    const enumerateDevices = async () => [
      { kind: 'audioinput', deviceId: 'm', label: 'Microphone' },
      { kind: 'videoinput', deviceId: 'c', label: 'Camera', groupId: 'g' },
    ];
    await expect(Camera.list({ enumerateDevices } as unknown as MediaDevices)).resolves.toEqual([{ deviceId: 'c', label: 'Camera' }]);
  });
});
