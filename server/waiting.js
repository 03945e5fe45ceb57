let last,timer
function show(view){
document.title=view.title
s.textContent=view.sentence
b.hidden=view.failed
r.hidden=!view.failed
o.textContent=view.logs
o.hidden=!view.logs
l.replaceChildren(...view.steps.map(step=>{
const[li,b]=['li','b'].map(tag=>document.createElement(tag))
li.className=b.textContent=step.progress
li.append(step.name,b)
return li}))
if(view.state=='ready')enter()
}
function enter(){next=()=>0;location.reload()}
async function poll(retry){
last?.abort()
const mine=last=new AbortController
let pause=1e3
try{
const answer=await fetch(location.href,{headers:{'X-Paastis-Poll':1,Accept:'text/event-stream',...retry&&{'X-Paastis-Retry':1}},cache:'no-store',redirect:'manual',signal:mine.signal})
if(!answer.headers.has('X-Paastis-State')){
if(answer.status<404)enter()
}else if(answer.ok){
const parts=answer.body.pipeThrough(new TextDecoderStream).getReader()
for(let text='',part;!(part=await parts.read()).done;){
const events=(text+part.value).split('\n\n')
text=events.pop()
events.forEach(event=>event[0]=='d'&&show(JSON.parse(event.slice(5))))
}
}else{
show(await answer.json())
pause=document.hidden?2e3:400
}
}catch{}
if(mine==last)next(pause)
}
function next(pause,retry){clearTimeout(timer);timer=setTimeout(poll,pause,retry)}
r.onclick=event=>{event.preventDefault();next(0,1)}
document.onvisibilitychange=()=>next(0)
next(300)
