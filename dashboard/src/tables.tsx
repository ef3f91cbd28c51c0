// SPDX-License-Identifier: Apache-2.0
// What an experiment's page has in tables: arms, guardrails, rewards, events.
import type {ComponentChildren} from 'preact';
import {useState} from 'preact/hooks';
import {ArmStatus, EventLog, Experiment, RouterEvent, num,
        seconds} from './api.js';
import type {Theme} from './arms.js';
import {Swatch} from './chart.js';
import {count, kNothing, milliseconds, moment, number, percent, span, tone,
        words} from './format.js';

export function Badge({tone: of, children}: {
  tone: 'good' | 'bad' | 'wait' | 'plain';
  children: ComponentChildren;
}) {
  return <span class={`badge ${of}`}>{children}</span>;
}

export function Scroll({label, children}: {
  label: string;
  children: ComponentChildren;
}) {
  return <div class="scroll" tabIndex={0} role="region" aria-label={`${label}, table`}>
    {children}
  </div>;
}

export function ArmState({arm, now}: {arm: ArmStatus; now: number}) {
  const until = arm.state_until
      ? `, until ${moment(arm.state_until, now)}` : '';
  return <>
    <Badge tone={arm.state === 'active' ? 'good'
        : arm.state === 'ejected' ? 'bad' : 'wait'}>{arm.state}</Badge>
    {arm.state !== 'active' && <span class="soft">{until}</span>}
  </>;
}

const failed = (arm: ArmStatus) => Object.entries(arm.codes)
    .filter(([code]) => !/^(OK|HTTP_[123]..)$/.test(code));

export function Arms({experiment, theme, now}: {
  experiment: Experiment;
  theme: Theme;
  now: number;
}) {
  return <Scroll label="Arms">
    <table>
      <thead><tr>
        <th scope="col">arm</th><th scope="col" class="left">state</th>
        <th scope="col">share now</th><th scope="col">decisions</th>
        <th scope="col">reward</th><th scope="col">p50</th>
        <th scope="col">p95</th><th scope="col">p99</th>
        <th scope="col">failed calls</th><th scope="col">under way</th>
      </tr></thead>
      <tbody>{experiment.arms.map((arm, i) => {
        const ms = (text?: string) =>
            seconds(text) > 0 ? milliseconds(1000 * seconds(text)) : kNothing;
        const errors = failed(arm);
        return <tr key={arm.name}>
          <th scope="row"><Swatch arm={i} theme={theme} /> {arm.name}</th>
          <td class="left"><ArmState arm={arm} now={now} /></td>
          <td>{percent(arm.probability)}</td>
          <td>{count(num(arm.decisions))}</td>
          <td>{arm.reward_count > 0 ? number(arm.reward_mean) : kNothing}</td>
          <td>{ms(arm.latency?.p50)}</td><td>{ms(arm.latency?.p95)}</td>
          <td>{ms(arm.latency?.p99)}</td>
          <td>{errors.length === 0 ? '0' : errors.map(([code, n]) =>
              `${code} ${count(num(n))}`).join(', ')}</td>
          <td>{count(num(arm.in_flight))}</td>
        </tr>;
      })}</tbody>
    </table>
  </Scroll>;
}

export function Guardrails({experiment}: {experiment: Experiment}) {
  if (experiment.guardrails.length === 0) {
    return <p class="empty">
      No guardrails: an arm that turns slow or fails keeps what the policy
      gives it. Add <code>guardrails</code> to the experiment, for instance{' '}
      <code>{'- {metric: error, below: 0.05, action: eject}'}</code>.
    </p>;
  }
  const troubled = experiment.arms.filter(arm => arm.state_reason &&
      arm.state !== 'active');
  return <>
    {troubled.map(arm => <p key={arm.name}>
      <b>{arm.name}</b> is {arm.state}: {arm.state_reason}
    </p>)}
    <Scroll label="Guardrails">
      <table>
        <thead><tr>
          <th scope="col">arm</th><th scope="col" class="left">rule</th>
          <th scope="col" class="left">action</th>
          <th scope="col" class="left">state</th>
          <th scope="col">evidence</th><th scope="col">trips</th>
          <th scope="col" class="left">the last time</th>
        </tr></thead>
        <tbody>{experiment.guardrails.map(rule =>
          <tr key={`${rule.arm} ${rule.rule}`}>
            <th scope="row">{rule.arm}</th>
            <td class="left">{rule.rule}</td>
            <td class="left">{words(rule.action)}</td>
            <td class="left">{rule.broken
                ? <Badge tone="bad">broken</Badge>
                : <Badge tone="good">kept</Badge>}</td>
            <td>{rule.evidence > 0 ? <>
              <meter min={0} max={1} value={rule.evidence}
                     aria-label={`evidence against ${rule.arm}`} />{' '}
              {percent(rule.evidence)}</> : kNothing}</td>
            <td>{count(num(rule.trips))}</td>
            <td class="left wide">{rule.reason || kNothing}</td>
          </tr>)}</tbody>
      </table>
    </Scroll>
  </>;
}

const kNames = ['ACCEPTED', 'DUPLICATE', 'LATE', 'UNKNOWN', 'REJECTED'];
const kMeaning: Record<string, string> = {
  ACCEPTED: 'counted',
  DUPLICATE: 'there was one already',
  LATE: 'after the metric’s window',
  UNKNOWN: 'of an epoch or experiment that is not configured here',
  REJECTED: 'forged, damaged, or out of range',
};

export function Outcomes({experiment}: {experiment: Experiment}) {
  if (experiment.metrics.length === 0) {
    return <p class="empty">
      No metric of this experiment is fed back: {experiment.reward_metric} is
      measured by the router itself.
    </p>;
  }
  const came = experiment.metrics.some(
      metric => Object.values(metric.outcomes).some(n => num(n) > 0));
  return <>
    {!came && <p class="empty">
      No rewards yet. Every response has the metadata{' '}
      <code>x-bandit-decision</code>: send it back with what became of it to{' '}
      <code>bandit.v1.Feedback/Record</code>, or try{' '}
      <code>banditctl reward TOKEN VALUE</code>.
    </p>}
    <Scroll label="Rewards by outcome">
      <table>
        <thead><tr><th scope="col">metric</th>
          {kNames.map(name => <th scope="col" key={name}
                                  title={kMeaning[name]}>
            {words(name)}</th>)}
        </tr></thead>
        <tbody>{experiment.metrics.map(metric => <tr key={metric.name}>
          <th scope="row">{metric.name}
            {metric.name === experiment.reward_metric &&
                <span class="soft"> reward</span>}</th>
          {kNames.map(name => <td key={name}>
            {count(num(metric.outcomes[name]))}</td>)}
        </tr>)}</tbody>
      </table>
    </Scroll>
  </>;
}

const kFirst = 12;

export function Events({log, experiment, now}: {
  log?: EventLog;
  // Only its own and the router's; empty: all.
  experiment: string;
  now: number;
}) {
  const [all, setAll] = useState(false);
  const events = (log?.events ?? []).filter(event => experiment === '' ||
      event.experiment === '' || event.experiment === experiment).reverse();
  const shown = all ? events : events.slice(0, kFirst);
  return <>
    {log?.audit_trouble && <p class="alert bad">
      The audit log: {log.audit_trouble}</p>}
    {events.length === 0 && <p class="empty">Nothing has happened yet.</p>}
    <ol class="events">
      {shown.map((event, i) => <li key={`${event.time} ${i}`}
                                   class={tone(event)}>
        <time dateTime={event.time}>{moment(event.time, now)}</time>
        <div><EventWords event={event} named={experiment === ''} /></div>
      </li>)}
    </ol>
    {events.length > kFirst && <button type="button" aria-expanded={all}
        onClick={() => setAll(!all)}>
      {all ? 'Show fewer' : `Show all ${events.length}`}</button>}
  </>;
}

const kSources: Record<string, string> = {
  reload: 'config', router: 'router', guardrail: 'guardrail', audit: '',
};

function EventWords({event, named}: {event: RouterEvent; named: boolean}) {
  const about = [named && event.experiment, event.arm].filter(Boolean)
      .join(', ');
  return <>
    <b>{[kSources[event.source], words(event.what)].filter(Boolean).join(' ')}
    </b>
    {about && <> {about}</>}
    {event.rule && <> by {event.rule}</>}
    {event.who && <> by {event.who}
      {!event.proven && <span class="soft"> (unproven)</span>}</>}
    {event.detail && <span class="soft">: {event.detail}</span>}
  </>;
}

export function Ramp({experiment}: {experiment: Experiment}) {
  const life = experiment.lifecycle;
  if (!life || life.ramp_stages === 0) return null;
  const lasts = seconds(life.ramp_lasts), elapsed = seconds(life.ramp_elapsed);
  return <p>
    {life.ramp_stage === 0
        ? <>Ramp: over, all units are in. </>
        : <>Ramp: stage {life.ramp_stage} of {life.ramp_stages},{' '}
          {percent(life.ramp_share)} of the units
          {lasts > 0 && `, ${span(lasts - elapsed)} to go`}. </>}
    {life.held && <Badge tone="wait">held: {life.held}</Badge>}
  </p>;
}
