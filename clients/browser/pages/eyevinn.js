import { WHIPClient } from '@eyevinn/whip-web-client';

const { whip_url, client_token } = await (await fetch('/session', { method: 'POST' })).json();
const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
const client = new WHIPClient({ endpoint: whip_url, opts: { authkey: client_token } });
await client.setIceServersFromEndpoint();
await client.ingest(stream);
