const m=document.querySelector('main')
let last,timer
function show(fresh){
const now=fresh.querySelector('main'),[was,is]=[m,now].map(x=>x.querySelector('[role=status]'))
document.title=fresh.title
m.dataset.poll=now.dataset.poll
if(was.textContent!=is.textContent){was.lang=is.lang;was.textContent=is.textContent}
is.replaceWith(was)
m.replaceChildren(...now.childNodes)
back()
}
function back(){const a=document.getElementById('b');if(a){a.hidden=0;a.onclick=event=>{event.preventDefault();history.back()}}}
function enter(){next=()=>0;'form'in m.dataset||location.reload()}
async function poll(retry){
last?.abort()
const mine=last=new AbortController
let pause=1e3
try{
const answer=await fetch(location.href,{headers:{'X-Paastis-Poll':m.dataset.poll,...retry&&{'X-Paastis-Retry':1}},cache:'no-store',redirect:'manual',signal:mine.signal})
const state=answer.headers.get('X-Paastis-State')
if(state){
show(new DOMParser().parseFromString(await answer.text(),'text/html'))
pause=100
}
if(state?state=='ready':answer.status<404)enter()
}catch{}
if(mine==last)next(pause)
}
function next(pause,retry){clearTimeout(timer);timer=setTimeout(poll,pause,retry)}
m.onclick=event=>{if(event.target.id=='r'){event.preventDefault();next(0,1)}}
document.onvisibilitychange=()=>document.hidden||next(0)
back()
next(0)
