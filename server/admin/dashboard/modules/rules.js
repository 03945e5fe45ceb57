// The view of the rules.

import {$, el} from './dom.js'
import {plural} from './format.js'
import {ask, sentence} from './api.js'

export async function loadRules() {
  try {
    drawRules(await ask('rules'))
  } catch (error) {
    $('rules-list').replaceChildren(el('p', {class: 'wrong'}, sentence(error)))
  }
}

function drawRules({rules, warnings}) {
  $('rules-list').replaceChildren(
    ...warnings.map(text => el('p', {class: 'banner warn'}, text)),
    rules.length ? el('ol', {class: 'rules'}, rules.map(ruleItem)) : el('p', {class: 'empty'}, 'There are no rules. They go into paastis.yml.'))
}

function ruleItem(rule) {
  const properties = Object.entries(rule.properties ?? {}).filter(([key]) => key !== 'linked_apps')
  return el('li', null,
    el('div', {class: 'd-sub'}, el('h2', null, el('code', null, rule.pattern)), el('span', {class: 'soft'}, rule.where)),
    properties.length > 0 && el('dl', {class: 'facts'}, properties.map(([key, value]) => el('div', null, el('dt', null, key), el('dd', null, typeof value === 'string' ? value : JSON.stringify(value))))),
    rule.linked_apps?.length > 0 && el('dl', {class: 'facts'}, el('div', {class: 'wide'}, el('dt', null, 'linked_apps'), el('dd', null, rule.linked_apps.join(', ')))),
    matchList(rule.matches ?? []))
}

function matchList(names) {
  if (!names.length) return el('p', {class: 'soft'}, 'Matches no app at present.')
  const chips = list => list.map(name => el('li', null, el('a', {class: 'chip', href: '#/app/' + encodeURIComponent(name)}, name)))
  const list = el('ul', {class: 'chips'}, chips(names.slice(0, 24)))
  const rest = names.slice(24)
  const button = rest.length > 0 && el('button', {type: 'button', class: 'quiet', click: () => {
    list.append(...chips(rest))
    list.children[24].firstElementChild.focus()
    button.remove()
  }}, `and ${rest.length} more`)
  return el('div', null, el('p', {class: 'soft'}, `Matches ${plural(names.length, 'app')}`), list, button)
}
