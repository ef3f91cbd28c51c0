// SPDX-License-Identifier: Apache-2.0
// Acts, and what goes wrong: with a world of each test's own, as they change it.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {World, closeBrowser, open} from './world.mjs';

after(closeBrowser);

async function inWorld(options, run) {
  const world = await World.start(options);
  try {
    const opened = await open(world, '/#/e/ranker');
    await opened.page.getByRole('heading', {name: /ranker/, level: 1})
        .waitFor();
    await run(opened.page, world, opened.wrong);
    await opened.close();
  } finally {
    await world.stop();
  }
}

async function showToken(page, token) {
  await page.getByRole('button', {name: 'Show a token to act'}).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  return dialog;
}

test('without tokens in the config there is nothing to act with', () =>
  inWorld({tokens: false}, async (page, world, wrong) => {
    await page.getByText('Read-only: the config has neither').waitFor();
    for (const name of ['pause', 'promote', 'Token', 'Show a token to act']) {
      assert.equal(
          await page.getByRole('button', {name, exact: true}).count(), 0);
    }
    const answer = await fetch(`${world.admin}/api/v1/act`, {
      method: 'POST',
      headers: {authorization: 'Bearer x', 'content-type': 'application/json'},
      body: JSON.stringify({act: 'pause', experiment: 'ranker'}),
    });
    assert.equal(answer.status, 403);
    assert.deepEqual(wrong, []);
  }));

test('a token is asked for, tried, and lets its identity act', () =>
  inWorld({tokens: true}, async (page, world, wrong) => {
    let dialog = await showToken(page, 'wrong');
    await dialog.getByText('does not know this token').waitFor();
    // Escape closes, and the focus is where it was.
    await page.keyboard.press('Escape');
    await dialog.waitFor({state: 'hidden'});
    dialog = await showToken(page, 'adas-t0ken');
    await dialog.waitFor({state: 'hidden'});
    await page.getByText('You act as ada.').waitFor();

    await page.getByRole('button', {name: 'pause', exact: true}).click();
    await dialog.getByText('All requests get the control arm').waitFor();
    await dialog.getByLabel('Why').fill('a <b>look</b> at the logs');
    await dialog.getByRole('button', {name: 'pause as ada'}).click();
    await page.getByText('pause by ada: done').waitFor();
    await page.locator('h1 .badge', {hasText: 'paused'}).waitFor();
    await page.locator('.events li', {hasText: 'pause by ada'})
        .getByText('a <b>look</b> at the logs').waitFor();
    const status = await world.get('status?experiment=ranker');
    assert.equal(status.experiments[0].lifecycle.state, 'paused');
    assert.equal(status.experiments[0].lifecycle.who, 'ada');

    await page.getByRole('button', {name: 'reset', exact: true}).click();
    await dialog.getByText('a new epoch begins').waitFor();
    await dialog.getByRole('button', {name: 'reset as ada'}).click();
    await page.getByText('epoch 2', {exact: false}).first().waitFor();

    await page.getByRole('button', {name: 'promote', exact: true}).click();
    await dialog.getByLabel('Arm').selectOption('wide');
    await dialog.getByRole('button', {name: 'promote as ada'}).click();
    await page.locator('h1 .badge', {hasText: 'concluded'}).waitFor();
    await page.getByText('wide is promoted: it gets all requests.').waitFor();

    await page.getByRole('button', {name: 'Forget the token'}).click();
    await page.getByRole('button', {name: 'Show a token to act'}).waitFor();
    assert.deepEqual(wrong, []);
  }));

test('an arm that fails is ejected, and a person brings it back', () =>
  inWorld({tokens: true}, async (page, world, wrong) => {
    await world.do('model', {name: 'c', fail: true});
    await world.do('traffic', {requests: 300});
    const rules = page.getByRole('region', {name: 'Guardrails, table'});
    await rules.getByText('broken').first().waitFor();
    await page.getByText(/distilled is ejected:/).waitFor();
    const arms = page.getByRole('region', {name: 'Arms, table'});
    const row = arms.getByRole('row', {name: /distilled/});
    await row.getByText('0.0 %').waitFor();
    assert.match(await row.innerText(), /INTERNAL \d+/);
    await page.locator('.events li.bad', {hasText: 'guardrail ejected'})
        .getByText('distilled').waitFor();
    // The list tells, too.
    await page.getByRole('link', {name: 'All'}).click();
    await page.locator('.list > li').first().getByText('ejected').waitFor();
    await page.goBack();

    await world.do('model', {name: 'c', fail: false});
    const dialog = await showToken(page, 't0ken');
    await dialog.waitFor({state: 'hidden'});
    await page.getByRole('button', {name: 'reinstate', exact: true}).click();
    await page.getByRole('button', {name: 'reinstate as operator'}).click();
    await page.locator('.events li.good', {hasText: 'guardrail reinstated'})
        .getByText('operator').waitFor();
    await row.getByText('active').waitFor();
    assert.deepEqual(wrong, []);
  }));

test('reloads are events, also those that fail', () =>
  inWorld({}, async (page, world, wrong) => {
    await world.do('reload');
    const events = page.locator('.events li');
    await events.filter({hasText: 'config loaded'}).first().waitFor();
    await world.do('reload', {broken: true});
    await events.filter({hasText: 'config not loaded'}).first()
        .getByText(/nonsense/).waitFor();
    assert.deepEqual(wrong, []);
  }));

test('a learning side that cannot write is said, and when it is well again', () =>
  inWorld({}, async (page, world, wrong) => {
    await world.do('lose_state');
    await page.getByTestId('degraded').waitFor();
    assert.match(await page.getByTestId('degraded').innerText(), /state/);
    await page.locator('.events li', {hasText: 'router degraded'}).first()
        .waitFor();
    await world.do('find_state');
    await page.getByTestId('degraded').waitFor({state: 'detached'});
    await page.locator('.events li', {hasText: 'router healed'}).first()
        .waitFor();
    assert.deepEqual(wrong, []);
  }));

test('a router that does not answer is said, and found again', () =>
  inWorld({}, async (page, world) => {
    await world.do('freeze');
    await page.getByTestId('lost').waitFor();
    assert.match(await page.getByTestId('lost').innerText(),
                 /Connection lost[^]*as of \d\d:\d\d:\d\d[^]*Trying again/);
    // What was known stays to be read.
    assert.equal(await page.getByRole('heading', {name: /ranker/, level: 1})
        .count(), 1);
    await world.do('thaw');
    await page.getByRole('button', {name: 'Try now'}).click();
    await page.getByTestId('lost').waitFor({state: 'detached'});
    await page.getByTestId('live').getByText('live').waitFor();
  }));

test('a page that nobody sees asks nothing', () =>
  inWorld({}, async page => {
    await page.getByTestId('live').getByText('live').waitFor();
    let asked = 0;
    page.on('request', () => ++asked);
    const show = hidden => page.evaluate(hidden => {
      Object.defineProperty(document, 'hidden',
                            {configurable: true, get: () => hidden});
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    // One that is under way, or due before it knows, may still end.
    await show(true);
    const settled = page.evaluate(() => new Promise(done => {
      let quiet = 0;
      const before = () => performance.getEntriesByType('resource').length;
      let last = before();
      const timer = setInterval(() => {
        quiet = before() === last ? quiet + 1 : 0;
        last = before();
        // Twice the time between two questions.
        if (quiet < 40) return;
        clearInterval(timer);
        done(true);
      }, 100);
    }));
    assert.equal(await settled, true);
    const before = asked;
    await show(false);
    await page.waitForRequest(request => request.url().includes('status'));
    assert.ok(asked > before);
  }));
