// SPDX-License-Identifier: Apache-2.0
// The world of tests/integration/dashboard/world.py, and Chromium to see it.
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {chromium} from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const kWorld = join(here, '../../tests/integration/dashboard/world.py');
export const kChromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

export class World {
  // `tokens`: the config has a control_token and identities.
  static async start({tokens = false} = {}) {
    if (!process.env.BANDIT_ROUTER) {
      throw new Error('BANDIT_ROUTER is not set: run ./dev dashboard test');
    }
    const world = new World();
    world.process = spawn(
        '/usr/bin/python3', ['-B', kWorld, ...(tokens ? ['--tokens'] : [])],
        {stdio: ['pipe', 'pipe', 'inherit']});
    world.ended = new Promise(done => world.process.once('exit', done));
    world.lines = createInterface({input: world.process.stdout})[
        Symbol.asyncIterator]();
    Object.assign(world, await world.answer());
    return world;
  }

  async answer() {
    const line = await this.lines.next();
    if (line.done) throw new Error('the world ended');
    return JSON.parse(line.value);
  }

  // What world.py knows to do.
  async do(what, more = {}) {
    this.process.stdin.write(`${JSON.stringify({do: what, ...more})}\n`);
    return this.answer();
  }

  async get(path) {
    const answer = await fetch(`${this.admin}/api/v1/${path}`);
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer.json();
  }

  // Until the router itself says so.
  async until(path, question, seconds = 30) {
    const end = Date.now() + 1000 * seconds;
    for (;;) {
      const told = await this.get(path);
      if (question(told)) return told;
      if (Date.now() > end) {
        throw new Error(`${path} after ${seconds} s: ${JSON.stringify(told)}`);
      }
      await new Promise(done => setTimeout(done, 50));
    }
  }

  async stop() {
    this.process.stdin.end();
    await this.ended;
  }
}

let browser;

// A page that notes what no page of ours may do: talk to others, or err.
export async function open(world, path = '/', options = {}) {
  if (!existsSync(kChromium)) throw new Error(`no ${kChromium}`);
  browser ??= await chromium.launch({
    executablePath: kChromium,
    args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
  });
  const context = await browser.newContext({
    viewport: {width: 1280, height: 720},
    locale: 'en-GB', timezoneId: 'UTC', ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrong = [];
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) {
      wrong.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on('pageerror', error => wrong.push(String(error)));
  page.on('request', request => {
    if (!request.url().startsWith(`${world.admin}/`) &&
        !request.url().startsWith('data:')) {
      wrong.push(`a request to ${request.url()}`);
    }
  });
  await page.goto(world.admin + path);
  return {page, wrong, close: () => context.close()};
}

export async function closeBrowser() {
  await browser?.close();
  browser = undefined;
}
