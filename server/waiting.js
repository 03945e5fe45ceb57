var $=function(i){return document.getElementById(i)},retry=0,n=0
function show(v){
document.title=v.title
$('s').textContent=v.sentence
$('b').hidden=v.failed
$('r').hidden=!v.failed
$('o').textContent=v.logs||''
$('o').hidden=!v.logs
var l=$('l')
l.textContent=''
v.steps.forEach(function(s){var i=document.createElement('li'),b=document.createElement('b')
i.className=b.textContent=s.progress
i.append(s.name,b)
l.append(i)})
}
function poll(){
var h={'X-Paastis-Poll':'1'}
if(retry)h['X-Paastis-Retry']='1'
retry=0
fetch(location.href,{headers:h,cache:'no-store',redirect:'manual'}).then(function(r){
if(!r.headers.has('X-Paastis-State'))throw 0
return r.json()}).then(function(v){
if(v.state=='ready')return location.reload()
show(v)
next(document.hidden?2e3:400)},function(){next(1e3)})
}
function next(t){clearTimeout(n);n=setTimeout(poll,t)}
$('r').onclick=function(e){e.preventDefault();retry=1;next(0)}
document.onvisibilitychange=function(){next(0)}
next(300)
