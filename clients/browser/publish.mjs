// Opens a page of pages/ in a browser whose camera plays a file. The page publishes until this process is told to stop.
//   node publish.mjs chromium|firefox PAGE
import process from 'node:process';
import puppeteer from 'puppeteer-core';
import { playAsCamera } from './camera.mjs';
import { host } from './host.mjs';

const { CHROMIUM = '/usr/bin/chromium', FIREFOX = '/usr/bin/firefox-esr', CAMERA_MJPEG } = process.env;
const [name, page] = process.argv.slice(2);

const launch = {
  chromium: () =>
    puppeteer.launch({
      executablePath: CHROMIUM,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--use-fake-ui-for-media-stream',
        '--use-fake-device-for-media-stream',
        `--use-file-for-fake-video-capture=${CAMERA_MJPEG}`,
      ],
    }),
  firefox: () =>
    puppeteer.launch({
      browser: 'firefox',
      executablePath: FIREFOX,
      headless: true,
      // Firefox sends to a loopback address only from a loopback address, and the server of the suite has no other. It uses its own
      // loopback addresses only with the first preference, and only in a page that may use the camera. The page's camera here is a
      // canvas, for which Firefox asks nobody; the second preference stands for the person who allows the camera.
      extraPrefsFirefox: {
        'media.peerconnection.ice.loopback': true,
        'permissions.default.camera': 1, // allow
      },
    }),
};

const browser = await launch[name]();
process.once('SIGTERM', async () => {
  await browser.close();
  process.exit();
});
const tab = await browser.newPage();
tab.on('pageerror', (err) => console.error(`page: ${err.message}`));
tab.on('console', (message) => console.error(`page: ${message.text()}`));
// Firefox cannot take a file as its camera.
if (name === 'firefox') await tab.evaluateOnNewDocument(playAsCamera);
await tab.goto(await host(page));
