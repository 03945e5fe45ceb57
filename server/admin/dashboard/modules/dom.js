// The elements of the page. Text from outside only ever enters it as text: el() has no way
// to put in HTML.

export const $ = id => document.getElementById(id)

export function el(tag, props, ...children) {
  return fill(document.createElement(tag), props, children)
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children)
}

function fill(node, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (typeof value === 'function') node.addEventListener(key, value)
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value === true ? '' : value)
  }
  node.append(...children.flat(2).filter(child => child || child === 0))
  return node
}

export function write(node, text) {
  if (node.textContent !== text) node.textContent = text
}
