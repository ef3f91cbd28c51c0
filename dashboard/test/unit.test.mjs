// SPDX-License-Identifier: Apache-2.0
// The pure functions, without a browser.
import assert from 'node:assert/strict';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

async function load(file) {
  const {outputFiles} = await build({
    entryPoints: [join(here, '../src', file)], bundle: true, write: false,
    format: 'esm', jsx: 'automatic', jsxImportSource: 'preact',
  });
  return import(`data:text/javascript;base64,${
      Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

const series = await load('series.ts');
const format = await load('format.ts');
const live = await load('live.ts');

const at = seconds => new Date(1.7e12 + 1000 * seconds).toISOString();
const arm = more => ({probability: 0.5, decisions: '0', reward_count: 0,
                      reward_mean: 0, finished: '0', errors: '0', ...more});
const sample = (seconds, arms, metrics = []) =>
    ({time: at(seconds), epoch: 1, arms, metrics});
const history = samples => ({experiment: 'e', interval: '2s', arms: ['a'],
                             metrics: ['m'], samples});

test('error shares are of the calls since, and null where counts begin anew',
     () => {
  const samples = [
    sample(0, [arm({finished: '10', errors: '0'})]),
    sample(2, [arm({finished: '20', errors: '5'})]),
    sample(4, [arm({finished: '20', errors: '5'})]),
    sample(6, [arm({finished: '3', errors: '0'})]),
  ];
  const {lines} = series.errorShares(history(samples), samples, 1);
  assert.deepEqual(lines, [[null, 0.5, null, null]]);
});

test('a mean without rewards is no point', () => {
  const samples = [sample(0, [arm({})]),
                   sample(2, [arm({reward_count: 4, reward_mean: 0.25})])];
  const plot = series.rewardMeans(history(samples), samples);
  assert.deepEqual(plot.lines, [[null, 0.25]]);
  assert.equal(series.isEmpty(plot), false);
  assert.equal(series.isEmpty(series.rewardMeans(history([]), [])), true);
});

test('outcome rates are per second, of outcomes that came', () => {
  const outcomes = more => ({accepted: '0', duplicate: '0', late: '0',
                             unknown: '0', rejected: '0', ...more});
  const samples = [sample(0, [], [outcomes({}), outcomes({})]),
                   sample(2, [], [outcomes({accepted: '6'}),
                                  outcomes({accepted: '2', late: '1'})])];
  const plot = series.outcomeRates(samples);
  assert.deepEqual(plot.names, ['accepted', 'late']);
  assert.deepEqual(plot.lines, [[null, 4], [null, 0.5]]);
});

test('the time shown ends with the newest sample', () => {
  const samples = [0, 100, 200, 300].map(s => sample(s, []));
  assert.equal(series.within(samples, 150).length, 2);
  assert.equal(series.within(samples, 0).length, 4);
  assert.deepEqual(series.within([], 5), []);
});

test('tables have few rows, the newest and the oldest among them', () => {
  const plot = {times: Array.from({length: 100}, (_, i) => i), names: [],
                lines: []};
  const rows = series.thinned(plot, 12);
  assert.equal(rows.length, 12);
  assert.equal(rows[0], 0);
  assert.equal(rows.at(-1), 99);
  assert.deepEqual(series.thinned({times: [1, 2], names: [], lines: []}, 12),
                   [0, 1]);
});

test('a history goes on where it ended, or begins anew', () => {
  const first = history([sample(0, []), sample(2, [])]);
  const more = history([sample(2, []), sample(4, [])]);
  assert.equal(live.extended(first, more).samples.length, 3);
  assert.equal(live.extended(undefined, more).samples.length, 2);
  const other = {...more, arms: ['b']};
  assert.equal(live.extended(first, other), other);
});

test('attempts grow rarer, up to half a minute', () => {
  assert.deepEqual([0, 1, 2, 3, 9].map(live.waitMs),
                   [2000, 2000, 4000, 8000, 30000]);
});

test('numbers and spans are short', () => {
  assert.equal(format.number(0.123456), '0.1235');
  assert.equal(format.number(0), '0');
  assert.equal(format.number(0.00000123), '1.23e-6');
  assert.equal(format.number(NaN), '–');
  assert.equal(format.percent(0.0512), '5.1 %');
  assert.equal(format.milliseconds(0.5), '0.50 ms');
  assert.equal(format.milliseconds(12_345), '12.3 s');
  assert.equal(format.span(90), '90 s');
  assert.equal(format.span(7200), '2 h');
  assert.equal(format.signedPercent(-0.1), '−10.0 %');
});
