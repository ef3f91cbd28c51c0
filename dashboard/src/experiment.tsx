// SPDX-License-Identifier: Apache-2.0
// The page of one experiment.
import {useMemo, useState} from 'preact/hooks';
import {Experiment, History, Report, num, seconds} from './api.js';
import {Acts, Operator} from './acts.js';
import type {Theme} from './arms.js';
import {Chart} from './chart.js';
import {Forest} from './forest.js';
import {advice, count, milliseconds, moment, number, percent, verdict,
        words} from './format.js';
import type {Live} from './live.js';
import * as series from './series.js';
import {Arms, Badge, Events, Guardrails, Outcomes, Ramp} from './tables.js';

const kSpans: [string, number][] =
    [['5 min', 300], ['15 min', 900], ['1 h', 3600], ['all', 0]];
const kNone: History =
    {experiment: '', interval: '', arms: [], metrics: [], samples: []};

type StateTone = 'good' | 'bad' | 'wait' | 'plain';
export const stateTone = (state: string): StateTone =>
    state === 'running' ? 'good' : state === 'rolled_back' ? 'bad'
    : state === 'concluded' ? 'plain' : 'wait';

function Next({report, trouble}: {report?: Report; trouble: string}) {
  const action = report?.next?.action ?? '';
  return <section class={`card next ${action}`} aria-labelledby="next-title">
    <h2 id="next-title">What to do next: {report ? advice(report.next)
                                                 : 'not known yet'}</h2>
    {report?.next?.why.map(why => <p key={why}>{why}</p>)}
    {!report && !trouble && <p class="soft">The report is on its way.</p>}
    {trouble && <p class="alert bad">There is no new report: {trouble}</p>}
    {report && <p class={report.split?.verdict === 'MISMATCH' ? 'alert bad'
                                                              : 'soft'}>
      <b>Split (SRM):</b> {verdict(report.split)}</p>}
    {report && <p class="soft">From the intervals that hold at every look, so
      looking as often as you like is fine. The whole report:{' '}
      <code>banditctl report {report.experiment}</code></p>}
  </section>;
}

function Head({experiment, now}: {experiment: Experiment; now: number}) {
  const life = experiment.lifecycle;
  const uncounted = Object.values(experiment.uncounted)
      .reduce<number>((sum, n) => sum + num(n), 0);
  return <>
    <h1>{experiment.name}{' '}
      {life && <Badge tone={stateTone(life.state)}>{words(life.state)}
      </Badge>}{' '}
      {experiment.held && <Badge tone="wait">held</Badge>}{' '}
      {experiment.alike && <Badge tone="plain">A/A</Badge>}</h1>
    <p class="soft">
      {experiment.policy} on {experiment.reward_metric} · epoch{' '}
      {experiment.epoch} · <span data-testid="decisions">
      {count(num(experiment.decisions))}</span> decisions
      {uncounted > 0 && <> · {count(uncounted)} requests not counted</>}
      {experiment.layer && <> · layer {experiment.layer}</>}
      {experiment.overlay && <> · overlay</>}
    </p>
    {experiment.rolled_back && <p class="alert bad" role="alert">
      Guardrails sent all requests to the control arm:{' '}
      {experiment.rolled_back}</p>}
    {life?.arm && <p><b>{life.arm}</b> is promoted: it gets all requests.</p>}
    {life && life.who && <p class="soft">Last changed{' '}
      {moment(life.changed, now)} by {life.who}
      {life.why && `: ${life.why}`}.</p>}
    {life?.pending && <p class="alert wait"><b>{words(life.pending.act)}
      {life.pending.arm && ` ${life.pending.arm}`}</b> waits for approval:
      asked for by {life.pending.who}, {moment(life.pending.asked, now)}
      {life.pending.why && `, “${life.pending.why}”`}. Somebody else must
      approve it.</p>}
    <Ramp experiment={experiment} />
  </>;
}

function Charts({history, theme, empty}: {
  history: History;
  theme: Theme;
  empty: string;
}) {
  const [span, setSpan] = useState(900);
  const [quantile, setQuantile] =
      useState<'p50_ms' | 'p95_ms' | 'p99_ms'>('p95_ms');
  const plots = useMemo(() => {
    const samples = series.within(history.samples, span);
    return {
      shares: series.shares(history, samples),
      rewards: series.rewardMeans(history, samples),
      latencies: series.latencies(history, samples, quantile),
      errors: series.errorShares(history, samples),
      outcomes: series.outcomeRates(samples),
    };
  }, [history, span, quantile]);
  const idle = history.samples.length < 2 ? empty
      : 'No call ended in the time shown.';
  const choose = <T extends string | number>(
      legend: string, all: [string, T][], chosen: T,
      set: (value: T) => void) => <fieldset class="choice">
    <legend>{legend}</legend>
    {all.map(([label, value]) => <label key={label}>
      <input type="radio" name={legend} checked={value === chosen}
             onChange={() => set(value)} /><span>{label}</span></label>)}
  </fieldset>;
  return <section aria-labelledby="time-title">
    <div class="row">
      <h2 id="time-title">Over time</h2>
      {choose('Time shown', kSpans, span, setSpan)}
      {choose('Latency shown', [['p50', 'p50_ms'], ['p95', 'p95_ms'],
          ['p99', 'p99_ms']], quantile, setQuantile)}
    </div>
    <div class="grid">
      <Chart title="Share of each arm" theme={theme} plot={plots.shares}
             format={percent} least={1} empty={empty}
             note="What the policy gives it: the probability of its next draw" />
      <Chart title="Mean reward" theme={theme} plot={plots.rewards}
             format={v => number(v ?? undefined)} floating
             empty="No rewards yet: see the table of rewards below."
             note="Of the epoch so far; intervals stand below" />
      <Chart title={`Latency, ${quantile.slice(0, 3)}`} theme={theme}
             plot={plots.latencies} format={milliseconds} empty={idle}
             note={`Of the calls of the last ${
                 seconds(history.interval) || 2} s; older times show the worst`}
      />
      <Chart title="Failed calls" theme={theme} plot={plots.errors}
             format={percent} least={0.01} empty={idle}
             note="Share of the calls that ended, over five samples" />
    </div>
    {plots.outcomes.names.length > 0 && <Chart
        title="Rewards a second, by outcome" theme={theme}
        plot={plots.outcomes} format={v => number(v ?? undefined)}
        empty="No rewards yet." />}
  </section>;
}

export function ExperimentPage({experiment, live, theme, operator, now,
                                onToken, onActed}: {
  experiment: Experiment;
  live: Live;
  theme: Theme;
  operator?: Operator;
  now: number;
  onToken: () => void;
  onActed: () => void;
}) {
  const {report} = live;
  const history = live.history ?? kNone;
  const idle = num(experiment.decisions) === 0;
  const empty = idle
      ? 'No requests yet: send them to the router’s listen address as if it ' +
        'were the model server.'
      : 'The first samples are being taken.';
  return <>
    <div class="top">
      <div><Head experiment={experiment} now={now} />
        <Acts experiment={experiment} session={live.session}
              operator={operator} onToken={onToken} onActed={onActed} />
      </div>
      <Next report={report} trouble={live.reportTrouble} />
    </div>
    {idle && <p class="alert wait">No requests yet. Send them to the router’s{' '}
      <code>listen</code> address as if it were the model server; what an
      experiment takes is said by its <code>match</code>.</p>}
    <section aria-labelledby="arms-title" class="card">
      <h2 id="arms-title">Arms</h2>
      <Arms experiment={experiment} theme={theme} now={now} />
    </section>
    <Charts history={history} theme={theme} empty={empty} />
    <div class="grid">
      <section class="card" aria-labelledby="mean-title">
        <h2 id="mean-title">{experiment.reward_metric} with its interval</h2>
        {report ? <Forest report={report} theme={theme} />
                : <p class="empty">The report is on its way.</p>}
      </section>
      <section class="card" aria-labelledby="rewards-title">
        <h2 id="rewards-title">Rewards by outcome</h2>
        <Outcomes experiment={experiment} />
      </section>
    </div>
    <section class="card" aria-labelledby="guard-title">
      <h2 id="guard-title">Guardrails</h2>
      <Guardrails experiment={experiment} />
    </section>
    <section class="card" aria-labelledby="events-title">
      <h2 id="events-title">Events</h2>
      <Events log={live.events} experiment={experiment.name} now={now} />
    </section>
  </>;
}
