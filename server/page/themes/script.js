// What all themes share: it asks for the next picture at the page's own URL, puts it into
// <main>, and lets the browser enter the app as soon as that is ready. The whole page has
// 4,096 bytes at most, so names are short: m is <main>, f what to wait before the next poll.
const m=document.querySelector('main'),
// Without no-store a browser lets one request of a URL wait for the other.
ask=more=>fetch(location,{headers:{'X-Paastis-Poll':m.dataset.poll,...more},redirect:'manual',cache:'no-store'})
let f=99,i
async function poll(){
  try{
    const r=await ask(),d=new DOMParser().parseFromString(await r.text(),'text/html'),n=d.querySelector('[data-poll]')
    if(n){
      const old=[...m.children]
      document.title=d.title
      Object.assign(m.dataset,n.dataset)
      // What has not changed stays, and with it the focus; so does the live region, which
      // is heard only when its text changes.
      for(const e of[...n.children]){
        const o=old.shift()
        o?o.isEqualNode(e)||(o.role?o.innerHTML=e.innerHTML:o.replaceWith(e)):m.append(e)
      }
      old.map(o=>o.remove())
    }
    // Once only, and never after a form, which is to be sent again by hand. What is none of
    // ours is the app's answer, but may be Traefik's: it is for some seconds, as it begins.
    if(n?n.dataset.state=='ready':r.status<(f>5e3?500:404))return'form'in m.dataset||location.reload()
    f=n?99:f*2
  }catch{f=999}
  setTimeout(poll,f=Math.min(f,1e4))
}
// False keeps a link from being followed, for whom there is no script.
m.onclick=e=>(i=e.target.id)=='r'?!ask({'X-Paastis-Retry':1}):i!='b'||!!history.back()
matchMedia('(prefers-reduced-motion)').matches||setInterval(()=>m.querySelectorAll('[data-s]').forEach(b=>b.value=Math.min(95,b.value+100/b.dataset.s)),1e3)
m.className='js'
poll()
