// How Paastis fares.

import {$, el, write} from './dom.js'
import {at, plural} from './format.js'
import {ask} from './api.js'

// calls says what is to be known of the calls of a provider that a platform limits.
function calls(it) {
  if (!it) return ''
  const parts = [it.waiting > 0 && `${plural(it.waiting, 'call')} waiting`, it.breaker && it.breaker !== 'closed' && `breaker ${it.breaker}`, it.reason]
  const said = parts.filter(Boolean)
  return said.length ? ` (${said.join(', ')})` : ''
}

export async function loadHealth() {
  const health = await ask('health').catch(() => null)
  if (!health) return
  const lines = [...health.problems, ...health.providers.filter(it => !it.connected).map(it => `${it.name} is not connected${it.since ? ` since ${at(it.since)}` : ''}${it.error ? `: ${it.error}` : ''}${calls(it.calls)}`)]
  const problems = $('problems')
  const text = JSON.stringify(lines)
  problems.hidden = !lines.length
  if (problems.dataset.shown !== text) problems.replaceChildren(...lines.map(line => el('p', null, line)))
  problems.dataset.shown = text
  const about = [`Paastis ${health.version}`, `running since ${at(health.started)}`, ...health.providers.filter(it => it.connected).map(it => `${it.name} connected${calls(it.calls)}`), health.unknown_requests > 0 && `${plural(health.unknown_requests, 'request')} for unknown hosts`, lines.length ? plural(lines.length, 'problem') : 'all is well']
  write($('about'), about.filter(Boolean).join(' · '))
}
