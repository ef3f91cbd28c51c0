// SPDX-License-Identifier: Apache-2.0
// The page in Chromium, over the real router. Nothing here waits for a time:
// every wait is for something to be seen.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {after, before, test} from 'node:test';
import {World, closeBrowser, open} from './world.mjs';

const kAxe = readFileSync(
    createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let world;

before(async () => {
  world = await World.start({tokens: true});
  await world.do('traffic', {requests: 400});
  await world.do('traffic', {requests: 40, method: 'Layout'});
  // Charts want some that come between samples.
  await world.until('history?experiment=ranker',
                    history => history.samples.length >= 1);
  await world.do('traffic', {requests: 100});
  await world.until('history?experiment=ranker', ({samples}) =>
      samples.length >= 3 && samples.at(-1).arms.reduce(
          (sum, arm) => sum + Number(arm.decisions), 0) === 500);
});
after(async () => {
  await closeBrowser();
  await world?.stop();
});

async function withPage(path, run, options) {
  const opened = await open(world, path, options);
  try {
    await run(opened.page, opened);
    assert.deepEqual(opened.wrong, []);
  } finally {
    await opened.close();
  }
}

const decisions = page => page.getByTestId('decisions').innerText()
    .then(text => Number(text.replaceAll(',', '')));

// What axe finds against WCAG 2.2 AA and its own best practices.
async function violations(page) {
  await page.evaluate(kAxe);
  const {violations} = await page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  return violations.map(v => `${v.id}: ${v.help}: ${
      v.nodes.map(n => n.target.join(' ')).slice(0, 3).join('; ')}`);
}

async function focused(page) {
  return page.evaluate(() => {
    const e = document.activeElement;
    const ring = getComputedStyle(e).outlineStyle !== 'none' ||
        (e.nextElementSibling &&
         getComputedStyle(e.nextElementSibling).outlineStyle !== 'none');
    return {text: (e.innerText || e.getAttribute('aria-label') || e.id || '')
                .trim(), tag: e.tagName, ring};
  });
}

test('the list has every experiment, its shares and what is wrong', () =>
  withPage('/', async page => {
    await page.getByRole('heading', {name: 'Experiments', level: 1}).waitFor();
    const items = page.locator('.list > li');
    assert.equal(await items.count(), 3);
    assert.match(await items.nth(0).innerText(), /ranker[^]*running/);
    assert.match(await items.nth(0).innerText(), /500 decisions/);
    assert.match(await items.nth(0).innerText(), /control[^]*wide[^]*distilled/);
    assert.match(await items.nth(2).innerText(), /no requests yet/);
    await items.nth(0).getByRole('link', {name: 'ranker'}).click();
    await page.getByRole('heading', {name: /ranker/, level: 1}).waitFor();
    assert.equal(await page.title(), 'ranker · Bandit Router');
    await page.goBack();
    await page.getByRole('heading', {name: 'Experiments'}).waitFor();
  }));

test('an experiment shows arms, charts, intervals, rewards, rules, events', () =>
  withPage('/#/e/ranker', async page => {
    const next = page.locator('.next');
    await next.getByText('Split (SRM):').waitFor();
    assert.match(await next.innerText(), /What to do next: (Keep going|Promote)/);
    assert.match(await next.innerText(), /Sound: the arms got the traffic/);
    const arms = page.getByRole('region', {name: 'Arms, table'});
    assert.equal(await arms.getByRole('row').count(), 4);
    for (const title of ['Share of each arm', 'Mean reward', 'Latency, p95',
                         'Failed calls', 'Rewards a second, by outcome']) {
      const chart = page.locator('figure', {hasText: title});
      await chart.locator('canvas').waitFor();
      // The table says what the picture shows.
      await chart.getByText('As a table').click();
      assert.ok(await chart.getByRole('row').count() >= 3, title);
    }
    await page.locator('.forest').waitFor();
    const rewards = page.getByRole('region', {name: 'Rewards by outcome, table'});
    const click = rewards.getByRole('row', {name: /^click/});
    assert.match(await click.innerText(), /click reward\s+[1-9]/);
    const rules = page.getByRole('region', {name: 'Guardrails, table'});
    assert.equal(await rules.getByRole('row').count(), 7);
    assert.match(await page.locator('.events').innerText(), /started/);
    assert.match(await page.locator('.events').innerText(), /add/);
  }));

test('a chart draws something, in each theme in other colours', () =>
  withPage('/#/e/ranker', async page => {
    const canvas = page.locator('figure', {hasText: 'Share of each arm'})
        .locator('canvas');
    await canvas.waitFor();
    const colours = () => canvas.evaluate(c => {
      const {data} = c.getContext('2d').getImageData(0, 0, c.width, c.height);
      const seen = new Set();
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] === 255) {
          seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
        }
      }
      return [...seen];
    });
    const light = await colours();
    assert.ok(light.includes('0,114,178'), 'the first arm in blue');
    await page.getByTestId('theme').click();
    await page.waitForFunction(
        () => document.documentElement.dataset.theme === 'dark');
    const dark = await colours();
    assert.ok(dark.includes('86,180,233'), 'the first arm in light blue');
  }));

test('it moves by itself', () =>
  withPage('/#/e/ranker', async page => {
    await page.getByTestId('decisions').waitFor();
    const first = await decisions(page);
    await world.do('traffic', {requests: 50});
    await page.waitForFunction(
        before => Number(document.querySelector('[data-testid=decisions]')
            .innerText.replaceAll(',', '')) >= before + 50, first);
    const rows = page.locator('figure', {hasText: 'Share of each arm'});
    await rows.getByText('As a table').click();
    const newest = () => rows.locator('tbody th').first().innerText();
    const shown = await newest();
    await page.waitForFunction(([before]) =>
        document.querySelector('figure tbody th')?.innerText > before, [shown]);
  }));

test('what says nothing yet says what to do', () =>
  withPage('/#/e/unused', async page => {
    await page.getByText('No requests yet. Send them').waitFor();
    await page.getByText('No rewards yet. Every response').waitFor();
    await page.getByText('No guardrails: an arm').waitFor();
    await page.goto(`${world.admin}/#/e/nobody`);
    await page.getByText('No experiment is named nobody').waitFor();
  }));

test('a ramp and a measured reward are told', () =>
  withPage('/#/e/layout', async page => {
    await page.getByText('Ramp: stage 1 of 2, 10.0 % of the units').waitFor();
    await page.getByText(/latency_ms is\s+measured by the router itself/)
        .waitFor();
  }));

test('the theme follows the system until it is chosen, and is remembered', () =>
  withPage('/', async page => {
    const theme = () => page.evaluate(
        () => document.documentElement.dataset.theme);
    await page.getByRole('heading', {name: 'Experiments'}).waitFor();
    assert.equal(await theme(), 'dark');
    await page.emulateMedia({colorScheme: 'light'});
    await page.waitForFunction(
        () => document.documentElement.dataset.theme === 'light');
    await page.getByTestId('theme').click();
    await page.waitForFunction(
        () => document.documentElement.dataset.theme === 'dark');
    assert.equal(
        await page.getByTestId('theme').getAttribute('aria-pressed'), 'true');
    await page.reload();
    await page.getByRole('heading', {name: 'Experiments'}).waitFor();
    assert.equal(await theme(), 'dark');
  }, {colorScheme: 'dark'}));

test('the keyboard reaches everything, in order, and is seen', () =>
  withPage('/#/e/ranker', async page => {
    await page.locator('.forest').waitFor();
    await page.keyboard.press('Tab');
    assert.equal((await focused(page)).text, 'Skip to the content');
    await page.keyboard.press('Enter');
    assert.equal((await focused(page)).text.split('\n')[0].slice(0, 6),
                 'ranker');
    await page.evaluate(() => document.activeElement.blur());
    await page.evaluate(() => document.querySelector('.skip').focus());
    const seen = [];
    for (let i = 0; i < 60; ++i) {
      await page.keyboard.press('Tab');
      const at = await focused(page);
      if (at.tag === 'BODY') break;
      seen.push(at.text || at.tag);
      assert.ok(at.ring, `no ring around ${at.tag} ${at.text}`);
    }
    const order = ['Bandit Router', 'All', 'ranker', 'layout', 'unused',
                   'Token', 'Dark', 'Show a token to act'];
    assert.deepEqual(seen.slice(0, order.length), order);
    assert.ok(seen.includes('As a table'));
    assert.ok(seen.includes('licences'), 'the end is reached: no trap');
    // Arrows move within a choice.
    await page.getByRole('radio', {name: 'p95'}).focus();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('heading', {name: 'Latency, p99'}).waitFor();
  }));

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing to blame, ${colorScheme}`, () =>
    withPage('/', async page => {
      await page.locator('.list > li').first().waitFor();
      assert.deepEqual(await violations(page), []);
      await page.goto(`${world.admin}/#/e/ranker`);
      await page.locator('.forest').waitFor();
      assert.deepEqual(await violations(page), []);
      await page.getByRole('button', {name: 'Token', exact: true}).click();
      await page.getByRole('dialog').waitFor();
      assert.deepEqual(await violations(page), []);
    }, {colorScheme}));
}

for (const [width, height] of [[1280, 720], [390, 844]]) {
  test(`nothing sticks out at ${width} x ${height}`, () =>
    withPage('/#/e/ranker', async page => {
      await page.locator('.forest').waitFor();
      const wide = await page.evaluate(() => [
        document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide[0] <= wide[1], `${wide[0]} px in ${wide[1]}`);
      // What to do next is seen without scrolling, on a laptop.
      if (width > 1000) {
        const box = await page.locator('.next').boundingBox();
        assert.ok(box.y + 40 < height);
      }
    }, {viewport: {width, height}}));
}
