import { describe, expect, it, vi } from 'vitest';
import { Camera, cameraError, requested } from './camera';
import { fakeStream } from './testing';

const live = new AbortController().signal;
const devices = (get: MediaDevices['getUserMedia']) => ({ getUserMedia: get }) as MediaDevices;

describe('Camera.open', () => {
  it('asks for 640×480 at 30 frames a second from the front camera, without sound', async () => {
    const get = vi.fn().mockResolvedValue(fakeStream());
    await Camera.open(live, devices(get));
    expect(get.mock.calls[0]?.[0]).toEqual({
      audio: false,
      video: { facingMode: 'user', width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } },
    });
    expect(requested).toEqual({ width: 640, height: 480, frameRate: 30 });
  });

  it('releases a camera that comes after the person cancelled', async () => {
    const stream = fakeStream();
    const gone = new AbortController();
    const opening = Camera.open(
      gone.signal,
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
        devices(() => Promise.reject(err)),
      ),
    ).rejects.toMatchObject({ code });
  });
});

describe('Camera', () => {
  it('tells the settings in force', async () => {
    const camera = await Camera.open(
      live,
      devices(async () => fakeStream({ settings: { width: 320, height: 240 } })),
    );
    expect(camera.delivered()).toEqual({ width: 320, height: 240, frameRate: 0 });
  });

  it('stops every track, twice without harm, and does not call that a loss', async () => {
    const stream = fakeStream();
    const camera = await Camera.open(
      live,
      devices(async () => stream),
    );
    const lost = vi.fn();
    camera.onLost(lost);
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
      devices(async () => stream),
    );
    const lost = vi.fn();
    camera.onLost(lost);
    stream.getTracks()[0]!.dispatchEvent(new Event('ended'));
    expect(lost).toHaveBeenCalledOnce();
  });
});
