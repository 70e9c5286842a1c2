// The second path: a page that is not ours and knows nothing but RFC 9725. It
// gets a WHIP endpoint and a bearer token; what it is told comes from the RFC's
// own headers (Location, ETag), and the verdict is read through the API.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch } from './support/browser';
import { lacking, media } from './support/paths';
import { LiveproofServer } from './support/server';

interface Exchange {
  status: number;
  location: string;
  etag: string;
  contentType: string;
  patches: number[];
  connection: string;
}

// Runs in the page. Standard WHIP publisher: POST the offer, trickle by PATCH.
async function publish([endpoint, token, codec]: [string, string, string]): Promise<Exchange> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
  const pc = new RTCPeerConnection();
  const transceiver = pc.addTransceiver(stream.getVideoTracks()[0]!, { direction: 'sendonly' });
  const codecs = RTCRtpSender.getCapabilities('video')!.codecs;
  transceiver.setCodecPreferences(codecs.filter((c) => c.mimeType === `video/${codec}`));

  const candidates: RTCIceCandidate[] = [];
  const gathered = new Promise<void>((done) => {
    pc.onicecandidate = (e) => (e.candidate ? candidates.push(e.candidate) : done());
  });
  await pc.setLocalDescription();
  const authorization = `Bearer ${token}`;
  const offer = pc.localDescription!.sdp;
  const posted = await fetch(endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/sdp', Authorization: authorization },
    body: offer,
  });
  const out: Exchange = {
    status: posted.status,
    location: posted.headers.get('Location') ?? '',
    etag: posted.headers.get('ETag') ?? '',
    contentType: posted.headers.get('Content-Type') ?? '',
    patches: [],
    connection: '',
  };
  if (posted.status !== 201) return out;
  const resource = new URL(out.location, endpoint).href;
  Object.assign(window, { whip: { pc, stream, resource, authorization } });
  await pc.setRemoteDescription({ type: 'answer', sdp: await posted.text() });

  await gathered;
  const line = (prefix: string) => offer.split('\r\n').find((l) => l.startsWith(prefix)) ?? '';
  const fragment = [
    line('a=ice-ufrag:'),
    line('a=ice-pwd:'),
    'm=video 9 UDP/TLS/RTP/SAVPF 0',
    line('a=mid:'),
    ...candidates.map((c) => `a=${c.candidate}`),
    'a=end-of-candidates',
    '',
  ].join('\r\n');
  const patched = await fetch(resource, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': out.etag, Authorization: authorization },
    body: fragment,
  });
  out.patches.push(patched.status);

  const settled = () => ['connected', 'failed'].includes(pc.connectionState);
  for (let i = 0; i < 150 && !settled(); i++) await new Promise((r) => setTimeout(r, 100));
  out.connection = pc.connectionState;
  return out;
}

// Runs in the page. The ICE restart of RFC 9725, section 4.3.3: only ICE credentials and candidates are exchanged.
async function restart(): Promise<{ status: number; etag: string; ufrags: string[]; state: string }> {
  const { pc, resource, authorization } = (window as unknown as { whip: Publisher }).whip;
  const ufrag = async () =>
    [...((await pc.getStats()) as unknown as Map<string, Record<string, unknown>>).values()]
      .filter((s) => s['type'] === 'transport')
      .map((s) => String(s['iceLocalUsernameFragment']))[0] ?? '';
  const line = (sdp: string, prefix: string) => sdp.split('\r\n').find((l) => l.startsWith(prefix)) ?? '';
  const before = await ufrag();
  const answer = pc.remoteDescription!.sdp;
  const gathered = new Promise<void>((done) => (pc.onicecandidate = (e) => e.candidate ?? done()));
  pc.restartIce();
  await pc.setLocalDescription();
  await gathered;
  const offer = pc.localDescription!.sdp;
  const candidates = offer.split('\r\n').filter((l) => l.startsWith('a=candidate:'));
  const patched = await fetch(resource, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*', Authorization: authorization },
    body: [
      line(offer, 'a=ice-ufrag:'),
      line(offer, 'a=ice-pwd:'),
      'm=video 9 UDP/TLS/RTP/SAVPF 0',
      line(offer, 'a=mid:'),
      ...candidates,
      'a=end-of-candidates',
      '',
    ].join('\r\n'),
  });
  const fragment = await patched.text();
  const isICE = (l: string) => /^a=(candidate:|end-of-candidates|ice-ufrag:|ice-pwd:)/.test(l);
  const renewed = answer.split('\r\n').filter((l) => !isICE(l));
  const mid = renewed.findIndex((l) => l.startsWith('a=mid:'));
  renewed.splice(mid, 0, ...fragment.split('\r\n').filter(isICE));
  await pc.setRemoteDescription({ type: 'answer', sdp: renewed.join('\r\n') });
  for (let i = 0; i < 100 && ((await ufrag()) === before || pc.connectionState !== 'connected'); i++)
    await new Promise((r) => setTimeout(r, 100));
  return { status: patched.status, etag: patched.headers.get('ETag') ?? '', ufrags: [before, await ufrag()], state: pc.connectionState };
}

interface Publisher {
  pc: RTCPeerConnection;
  stream: MediaStream;
  resource: string;
  authorization: string;
}

// Runs in the page.
async function unpublish(): Promise<number> {
  const { pc, stream, resource, authorization } = (window as unknown as { whip: Publisher }).whip;
  const res = await fetch(resource, { method: 'DELETE', headers: { Authorization: authorization } });
  pc.close();
  for (const t of stream.getTracks()) t.stop();
  return res.status;
}

describe('WHIP from plain JavaScript', () => {
  let server: LiveproofServer;
  beforeAll(async () => {
    server = await LiveproofServer.start();
  });
  afterAll(() => server?.stop());

  async function blank(browser: Browser): Promise<Page> {
    const page = await browser.newPage();
    await page.route('**/plain.html', (r) => r.fulfill({ contentType: 'text/html', body: '<!doctype html><title>plain</title>' }));
    await page.goto(`${server.url}plain.html`);
    return page;
  }

  async function withPage(camera: Parameters<typeof launch>[0], body: (p: Page) => Promise<void>): Promise<void> {
    const browser = await launch(camera);
    try {
      await body(await blank(browser));
    } finally {
      await browser.close();
    }
  }

  const file = media('person_A_640x480.mjpeg');
  const why = lacking(file);
  it.skipIf(why !== '').each(['VP8', 'H264'])(`a person over %s gets a verdict${why}`, (codec) =>
    withPage({ file }, async (p) => {
      const s = await server.create();
      const whip = new URL(s.whip_url, server.url).href;
      const exchange = await p.evaluate(publish, [whip, s.client_token, codec] as [string, string, string]);
      expect(exchange).toMatchObject({ status: 201, contentType: 'application/sdp', patches: [204], connection: 'connected' });
      expect(exchange.location).not.toBe('');
      expect(exchange.etag).toMatch(/^"[^"]+"$/);
      const record = await server.terminal(s.id, 30_000);
      console.log(`WHIP ${codec}: ${record.verdict} ${record.score.toFixed(3)} ${JSON.stringify(record.frames)}`);
      expect(record.state).toBe('decided');
      expect(record.frames.scored).toBeGreaterThan(0);
    }),
  );

  it.skipIf(why !== '')(`an ICE restart moves the media to another path, and the verdict comes over it${why}`, () =>
    withPage({ file }, async (p) => {
      const s = await server.create();
      const args: [string, string, string] = [new URL(s.whip_url, server.url).href, s.client_token, 'VP8'];
      const exchange = await p.evaluate(publish, args);
      expect(exchange).toMatchObject({ status: 201, connection: 'connected' });
      const moved = await p.evaluate(restart);
      expect(moved).toMatchObject({ status: 200, state: 'connected' });
      expect(moved.etag).not.toBe(exchange.etag);
      expect(moved.ufrags[1]).not.toBe(moved.ufrags[0]);
      const record = await server.terminal(s.id, 30_000);
      console.log(`WHIP restart: ${record.verdict} ${record.score.toFixed(3)} ${JSON.stringify(record.frames)}`);
      expect(record.state).toBe('decided');
      expect(record.frames.scored).toBeGreaterThanOrEqual(5);
    }),
  );

  it('DELETE ends the session without a live verdict; the token opens no second one', () =>
    withPage({}, async (p) => {
      const s = await server.create();
      const args: [string, string, string] = [new URL(s.whip_url, server.url).href, s.client_token, 'VP8'];
      expect(await p.evaluate(publish, args)).toMatchObject({ status: 201, connection: 'connected' });
      expect(await p.evaluate(unpublish)).toBe(200);
      const record = await server.terminal(s.id, 30_000);
      expect(record.verdict).not.toBe('live');
      expect(await p.evaluate(unpublish)).toBe(200); // again: nothing is left to end
      expect([401, 409]).toContain((await p.evaluate(publish, args)).status);
    }));
});
