// SPDX-License-Identifier: Apache-2.0
// The pictures of docs/dashboard.md: two minutes of a small world's life.
//   node test/shots.mjs FOLDER
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {World, closeBrowser, open} from './world.mjs';

const folder = process.argv[2];
if (!folder) throw new Error('usage: node test/shots.mjs FOLDER');
mkdirSync(folder, {recursive: true});
const kRounds = Number(process.env.ROUNDS ?? 60);

const world = await World.start({tokens: true});
try {
  for (let round = 0; round < kRounds; ++round) {
    // A variant begins to fail when two thirds are over.
    if (round === Math.floor(kRounds * 2 / 3)) {
      await world.do('model', {name: 'c', fail: true, delay_ms: 30});
    }
    await world.do('traffic', {requests: 60});
    if (round % 10 === 0) {
      await world.do('traffic', {requests: 40, method: 'Layout'});
    }
    // At the pace of the samples.
    const {samples} = await world.get('history?experiment=ranker');
    await world.until('history?experiment=ranker',
                      history => history.samples.length > samples.length ||
                          samples.length === 0);
  }
  const shot = async (name, path, options, prepare) => {
    const {page, close} = await open(world, path, options);
    await page.locator(path === '/' ? '.list > li' : '.forest').first()
        .waitFor();
    if (prepare) await prepare(page);
    await page.screenshot({path: join(folder, `${name}.png`),
                           ...(options.full ? {fullPage: true} : {})});
    await close();
  };
  await shot('dashboard-list', '/', {colorScheme: 'light'});
  await shot('dashboard-light', '/#/e/ranker', {colorScheme: 'light'});
  await shot('dashboard-full', '/#/e/ranker',
             {colorScheme: 'light', full: true});
  await shot('dashboard-dark', '/#/e/ranker',
             {colorScheme: 'dark', full: true});
  await shot('dashboard-narrow', '/#/e/ranker',
             {viewport: {width: 390, height: 844}, full: true});
  await shot('dashboard-act', '/#/e/ranker', {colorScheme: 'light'},
             async page => {
    await page.getByRole('button', {name: 'Show a token to act'}).click();
    await page.getByRole('dialog').getByLabel('Token').fill('adas-t0ken');
    await page.keyboard.press('Enter');
    await page.getByText('You act as ada.').waitFor();
    await page.getByRole('button', {name: 'promote', exact: true}).click();
    await page.getByRole('dialog').getByLabel('Why').fill('better at any look');
  });
} finally {
  await closeBrowser();
  await world.stop();
}
