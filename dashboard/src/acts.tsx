// SPDX-License-Identifier: Apache-2.0
// What an operator can do to an experiment, once he has shown a token.
import {useEffect, useRef, useState} from 'preact/hooks';
import {Experiment, Session, act as send, getSession} from './api.js';
import {words} from './format.js';

// Acts that make sense in a state; the router has the last word.
const kByState: Record<string, string[]> = {
  draft: ['start'],
  running: ['pause', 'promote', 'roll_back', 'conclude', 'reset'],
  paused: ['resume', 'promote', 'roll_back', 'conclude', 'reset'],
  rolled_back: ['resume', 'promote', 'conclude', 'reset'],
  concluded: ['resume', 'roll_back'],
};

const kEffect: Record<string, string> = {
  start: 'The experiment begins to run: units are drawn.',
  pause: 'All requests get the control arm, and are not counted.',
  resume: 'The experiment runs again.',
  promote: 'All requests get this arm, and are not counted: the experiment ' +
      'is concluded.',
  roll_back: 'All requests get the control arm until a person resumes the ' +
      'experiment.',
  conclude: 'All requests get the control arm: the experiment is concluded.',
  reset: 'What was learned is forgotten: a new epoch begins, in which ' +
      'rewards of decisions of before no longer count.',
  approve: 'What waits for approval is done.',
  reinstate: 'What guardrails did is undone: all arms are active again, and ' +
      'evidence begins anew.',
};

export function actsOf(experiment: Experiment): string[] {
  const acts = [...(kByState[experiment.lifecycle?.state ?? ''] ?? [])];
  if (experiment.lifecycle?.pending) acts.unshift('approve');
  if (experiment.rolled_back ||
      experiment.arms.some(arm => arm.state !== 'active')) {
    acts.push('reinstate');
  }
  return acts;
}

export interface Operator {
  token: string;
  who: string;
}

// A dialog that is open as long as it is there. Escape closes it.
function Dialog({title, onClose, children}: {
  title: string;
  onClose: () => void;
  children: preact.ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onClose}>
    <h2 id="dialog-title">{title}</h2>
    {children}
  </dialog>;
}

export function TokenDialog({onToken, onClose}: {
  onToken: (operator: Operator) => void;
  onClose: () => void;
}) {
  const [token, setToken] = useState('');
  const [trouble, setTrouble] = useState('');
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      const session = await getSession(token.trim());
      if (session.who) return onToken({token: token.trim(), who: session.who});
      setTrouble('The router does not know this token: it is neither its ' +
                 'control_token nor an identity’s.');
    } catch (error) {
      setTrouble(`The token could not be tried: ${(error as Error).message}`);
    }
  };
  return <Dialog title="Show a token" onClose={onClose}>
    <form onSubmit={event => void submit(event)}>
      <p class="soft">The router’s <code>control_token</code>, or an
        identity’s. It is kept until this page is left, and sent with acts
        alone.</p>
      <label>Token
        <input type="password" autocomplete="off" required value={token}
               onInput={e => setToken(e.currentTarget.value)} /></label>
      {trouble && <p class="alert bad" role="alert">{trouble}</p>}
      <div class="buttons">
        <button type="submit" class="main">Use it</button>
        <button type="button" onClick={onClose}>Cancel</button>
      </div>
    </form>
  </Dialog>;
}

function ActDialog({act, experiment, operator, onClose, onDone}: {
  act: string;
  experiment: Experiment;
  operator: Operator;
  onClose: () => void;
  onDone: (told: string) => void;
}) {
  const [why, setWhy] = useState('');
  // The likeliest is meant: the one that most requests go to.
  const [arm, setArm] = useState(() => experiment.arms.reduce(
      (best, a) => a.probability > best.probability ? a : best).name);
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const {who, lifecycle} = await send({
        act, experiment: experiment.name, why,
        arm: act === 'promote' ? arm : '',
      }, operator.token);
      const waits = lifecycle?.pending && act !== 'approve'
          ? '; it waits for another’s approval' : '';
      onDone(`${words(act)} by ${who}: done${waits}`);
    } catch (error) {
      setBusy(false);
      setTrouble((error as Error).message);
    }
  };
  const name = words(act);
  return <Dialog title={`${name[0]!.toUpperCase()}${name.slice(1)} ${
      experiment.name}?`} onClose={onClose}>
    <form onSubmit={event => void submit(event)}>
      <p>{kEffect[act]}</p>
      {act === 'promote' && <label>Arm
        <select value={arm} onChange={e => setArm(e.currentTarget.value)}>
          {experiment.arms.map(a => <option key={a.name}>{a.name}</option>)}
        </select></label>}
      <label><span>Why <span class="soft">(for the audit log)</span></span>
        <input type="text" maxLength={300} value={why}
               onInput={e => setWhy(e.currentTarget.value)} /></label>
      {trouble && <p class="alert bad" role="alert">{trouble}</p>}
      <div class="buttons">
        <button type="submit" class="main" disabled={busy}>
          {name} as {operator.who}</button>
        <button type="button" onClick={onClose}>Cancel</button>
      </div>
    </form>
  </Dialog>;
}

export function Acts({experiment, session, operator, onToken, onActed}: {
  experiment: Experiment;
  session?: Session;
  operator?: Operator;
  onToken: () => void;
  onActed: () => void;
}) {
  const [asked, setAsked] = useState('');
  const [told, setTold] = useState('');
  const done = (words: string) => {
    setAsked('');
    setTold(words);
    onActed();
  };
  if (session && !session.acts) {
    return <p class="soft">Read-only: the config has neither{' '}
      <code>control_token</code> nor <code>identities</code>, so acts are off
      here. <code>banditctl</code> can act at the control port.</p>;
  }
  return <>
    <div class="buttons">
      {operator
          ? actsOf(experiment).map(act => <button type="button" key={act}
                onClick={() => setAsked(act)}>{words(act)}</button>)
          : <button type="button" onClick={onToken}>
              Show a token to act</button>}
    </div>
    <p role="status" class="soft">{told ||
        (operator ? `You act as ${operator.who}.` : 'Read-only until then.')}
    </p>
    {asked && operator && <ActDialog act={asked} experiment={experiment}
        operator={operator} onClose={() => setAsked('')} onDone={done} />}
  </>;
}
