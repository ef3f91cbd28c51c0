// SPDX-License-Identifier: Apache-2.0
// The arms' mean rewards with their intervals, as a plot and as a table.
import {Theme, colour} from './arms.js';
import {Report, num} from './api.js';
import {count, number, percent, range, signedPercent} from './format.js';

const kRow = 34;

export function Forest({report, theme}: {report: Report; theme: Theme}) {
  const metric = report.metrics.find(m => m.name === report.reward_metric);
  const arms = metric?.arms.filter(arm => arm.mean.value !== undefined) ?? [];
  if (!metric || arms.length === 0) {
    return <p class="empty">
      No interval yet: no decision counts yet. A metric with a default counts
      one when its window has passed, a metric without one when its reward has
      come.
    </p>;
  }
  const level = percent(1 - report.alpha);
  return <>
    <Plot arms={arms} names={report.arms.map(a => a.name)} theme={theme} />
    <p class="soft">
      The thin line holds at every look at once, the thick one for a single look
      that was planned; both at {level}.
      {metric.cost && ' Less is better.'}
    </p>
    <div class="scroll" tabIndex={0} role="region"
         aria-label="Mean reward by arm, table">
      <table>
        <thead><tr>
          <th scope="col">arm</th><th scope="col">n</th>
          <th scope="col">mean</th><th scope="col">at every look</th>
          <th scope="col">lift</th><th scope="col">P(best)</th>
        </tr></thead>
        <tbody>{metric.arms.map(arm => <tr key={arm.arm}>
          <th scope="row">{arm.arm}
            {arm.arm === report.control && arm.arm !== 'control' &&
                <span class="soft"> control</span>}
          </th>
          <td>{count(num(arm.count))}</td>
          <td>{number(arm.mean.value)}</td>
          <td title={arm.mean.anytime ? arm.mean.anytime_method
                                      : arm.mean.reason}>
            {range(arm.mean.anytime)}</td>
          <td>{arm.lift?.value === undefined ? '–'
                                             : signedPercent(arm.lift.value)}
          </td>
          <td>{percent(report.arms.find(a => a.name === arm.arm)
                           ?.probability_best)}</td>
        </tr>)}</tbody>
      </table>
    </div>
  </>;
}

function Plot({arms, names, theme}: {
  arms: Report['metrics'][0]['arms'];
  names: string[];
  theme: Theme;
}) {
  const ends = arms.flatMap(({mean}) => [mean.value!,
    mean.anytime?.low, mean.anytime?.high, mean.fixed?.low, mean.fixed?.high])
      .filter((x): x is number => x !== undefined && Number.isFinite(x));
  const low = Math.min(...ends), high = Math.max(...ends);
  const pad = (high - low) * 0.05 || 0.5;
  // Percentages, so that letters keep their size whatever the width.
  const x = (value: number) =>
      `${(100 * (value - low + pad) / (high - low + 2 * pad)).toFixed(2)}%`;
  const height = arms.length * kRow + 24;
  return <svg class="forest" height={height} aria-hidden="true">
    {[0, 0.5, 1].map(part => {
      const value = low + part * (high - low);
      return <g key={part}>
        <line class="grid" x1={x(value)} x2={x(value)} y1="0"
              y2={height - 20} />
        <text x={x(value)} y={height - 5} text-anchor={
            part === 0 ? 'start' : part === 1 ? 'end' : 'middle'}>
          {number(Number(value.toPrecision(3)))}</text>
      </g>;
    })}
    {arms.map(({arm, mean}, row) => {
      const y = row * kRow + 26;
      const stroke = colour(names.indexOf(arm), theme);
      return <g key={arm}>
        <text x="0" y={y - 11}>{arm}</text>
        {mean.anytime && <line x1={x(mean.anytime.low)}
            x2={x(mean.anytime.high)} y1={y} y2={y} stroke={stroke}
            stroke-width="2" />}
        {mean.fixed && <line x1={x(mean.fixed.low)} x2={x(mean.fixed.high)}
            y1={y} y2={y} stroke={stroke} stroke-width="7"
            stroke-opacity="0.5" />}
        <circle cx={x(mean.value!)} cy={y} r="5" fill={stroke} />
      </g>;
    })}
  </svg>;
}
