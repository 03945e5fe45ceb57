// Where the page is: which view, and which app is open in it.

export let view = 'apps'
export let open = '' // the app in the detail view

export function go(to, name) {
  view = to
  open = name
}
