// A page that sends the camera in three sizes at once (simulcast, RFC 8853), as conferencing software does.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch } from './support/browser';
import { lacking, media } from './support/paths';
import { LiveproofServer } from './support/server';

interface Sent {
  status: number;
  simulcast: string;
  connection: string;
}

// Runs in the page.
async function publish([endpoint, token]: [string, string]): Promise<Sent> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
  const pc = new RTCPeerConnection();
  const encodings = [{ rid: 'q', scaleResolutionDownBy: 4 }, { rid: 'h', scaleResolutionDownBy: 2 }, { rid: 'f' }];
  pc.addTransceiver(stream.getVideoTracks()[0]!, { direction: 'sendonly', sendEncodings: encodings });
  const gathered = new Promise<void>((done) => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done();
  });
  await pc.setLocalDescription();
  await gathered;
  const posted = await fetch(endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
    body: pc.localDescription!.sdp,
  });
  const out: Sent = { status: posted.status, simulcast: '', connection: '' };
  if (posted.status !== 201) return out;
  const answer = await posted.text();
  out.simulcast = answer.split('\r\n').find((l) => l.startsWith('a=simulcast:')) ?? '';
  await pc.setRemoteDescription({ type: 'answer', sdp: answer });
  const settled = () => ['connected', 'failed'].includes(pc.connectionState);
  for (let i = 0; i < 150 && !settled(); i++) await new Promise((r) => setTimeout(r, 100));
  out.connection = pc.connectionState;
  Object.assign(window, { sender: pc });
  return out;
}

// Runs in the page: what Chromium has sent of each layer.
async function layers(): Promise<string[]> {
  const { sender } = window as unknown as { sender: RTCPeerConnection };
  const stats = [...((await sender.getStats()) as unknown as Map<string, Record<string, unknown>>).values()];
  return stats
    .filter((s) => s['type'] === 'outbound-rtp')
    .map((s) => `${String(s['rid'])} ${String(s['frameWidth'])}×${String(s['frameHeight'])}: ${String(s['framesSent'])} frames`);
}

describe('simulcast from Chromium', () => {
  let server: LiveproofServer;
  beforeAll(async () => {
    server = await LiveproofServer.start();
  });
  afterAll(() => server?.stop());

  const file = media('person_A_640x480.mjpeg');
  const why = lacking(file);
  it.skipIf(why !== '')(`a person in three sizes is received and scored${why}`, async () => {
    const browser = await launch({ file });
    try {
      const page = await browser.newPage();
      await page.route('**/plain.html', (r) => r.fulfill({ contentType: 'text/html', body: '<!doctype html><title>plain</title>' }));
      await page.goto(`${server.url}plain.html`);
      const s = await server.create();
      const sent = await page.evaluate(publish, [new URL(s.whip_url, server.url).href, s.client_token] as [string, string]);
      expect(sent).toEqual({ status: 201, simulcast: 'a=simulcast:recv q;h;f', connection: 'connected' });
      const record = await server.terminal(s.id, 30_000);
      const used = server
        .log()
        .split('\n')
        .filter((l) => l.includes('video stream in use') && l.includes(s.id));
      console.log(`${record.verdict} ${record.score.toFixed(3)} ${JSON.stringify(record.frames)}`, await page.evaluate(layers), used);
      expect(used.length).toBeGreaterThan(0);
      // Chromium's largest layer of a 640×480 camera is 320×240 at 266 kbit/s. Whether that is fine enough for a decision
      // is the scorer's matter (docs/clients.md); here it must be received and scored.
      expect(record.state).toBe('decided');
      expect(record.frames.scored).toBeGreaterThanOrEqual(10);
    } finally {
      await browser.close();
    }
  });
});
