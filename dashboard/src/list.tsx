// SPDX-License-Identifier: Apache-2.0
// All experiments, one below the other.
import {EventLog, Experiment, Status, num} from './api.js';
import {Theme, colour} from './arms.js';
import {Swatch} from './chart.js';
import {stateTone} from './experiment.js';
import {count, kNothing, number, percent, words} from './format.js';
import {Badge, Events} from './tables.js';

export const hrefOf = (name: string) => `#/e/${encodeURIComponent(name)}`;

function Shares({experiment, theme}: {experiment: Experiment; theme: Theme}) {
  return <>
    <svg class="shares" viewBox="0 0 100 4" preserveAspectRatio="none"
         aria-hidden="true">
      {experiment.arms.map((arm, i) => {
        const from = experiment.arms.slice(0, i)
            .reduce((sum, a) => sum + a.probability, 0);
        return <rect key={arm.name} x={100 * from} y="0"
                     width={100 * arm.probability} height="4"
                     fill={colour(i, theme)} />;
      })}
    </svg>
    <ul class="legend">
      {experiment.arms.map((arm, i) => <li key={arm.name}>
        <Swatch arm={i} theme={theme} /> {arm.name}{' '}
        <b>{percent(arm.probability)}</b>
        {arm.reward_count > 0 && <span class="soft">
          {' '}{experiment.reward_metric} {number(arm.reward_mean)}</span>}
        {arm.state !== 'active' && <> <Badge tone="bad">{arm.state}</Badge></>}
      </li>)}
    </ul>
  </>;
}

function Trouble({experiment}: {experiment: Experiment}) {
  const broken = experiment.guardrails.filter(rule => rule.broken).length;
  if (experiment.rolled_back) {
    return <p class="alert bad">Rolled back: {experiment.rolled_back}</p>;
  }
  if (broken === 0) return null;
  return <p class="alert bad">{broken === 1 ? 'One guardrail is'
      : `${broken} guardrails are`} broken.</p>;
}

export function ListPage({status, events, theme, now}: {
  status: Status;
  events?: EventLog;
  theme: Theme;
  now: number;
}) {
  return <>
    <h1>Experiments</h1>
    {status.experiments.length === 0 && <p class="empty card">
      The config has no experiments: every request goes to{' '}
      <code>default_backend</code>. Add one under <code>experiments</code>, with
      at least two arms; the router takes the config over when its file changes.
    </p>}
    <ul class="list">
      {status.experiments.map(experiment => <li key={experiment.name}
                                                class="card">
        <h2><a href={hrefOf(experiment.name)}>{experiment.name}</a>{' '}
          {experiment.lifecycle && <Badge
              tone={stateTone(experiment.lifecycle.state)}>
            {words(experiment.lifecycle.state)}</Badge>}</h2>
        <p class="soft">{experiment.policy} on {experiment.reward_metric} ·{' '}
          {num(experiment.decisions) === 0 ? 'no requests yet'
              : `${count(num(experiment.decisions))} decisions`}
          {experiment.layer ? ` · layer ${experiment.layer}` : ''}
          {experiment.arms.length === 0 && ` · ${kNothing}`}</p>
        <Trouble experiment={experiment} />
        <Shares experiment={experiment} theme={theme} />
      </li>)}
    </ul>
    <section class="card" aria-labelledby="events-title">
      <h2 id="events-title">Events</h2>
      <Events log={events} experiment="" now={now} />
    </section>
  </>;
}
