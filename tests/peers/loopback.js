'use strict'
// Keeps a test server at home: every server of this process listens on 127.0.0.1 only, and every connection or name
// lookup that leaves the machine is refused and reported. The Bluesky server would otherwise listen on all interfaces.
const net = require('node:net')
const dns = require('node:dns')

const HOME = /^(127\.|::1$|localhost$|::ffff:127\.)/

function refuse(what, host) {
  console.error(`refused to leave this machine: ${what} ${host}`)
  return Object.assign(new Error(`refused to leave this machine: ${host}`), { code: 'ENOTFOUND' })
}

const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (first, ...rest) {
  if (typeof first === 'number') {
    if (typeof rest[0] === 'string') rest.shift()
    return listen.call(this, { port: first, host: '127.0.0.1' }, ...rest)
  }
  if (first && typeof first === 'object' && first.port !== undefined && !first.host) {
    return listen.call(this, { ...first, host: '127.0.0.1' }, ...rest)
  }
  return listen.call(this, first, ...rest)
}

const lookup = dns.lookup
dns.lookup = (host, options, callback) => {
  const [how, done] = callback ? [options, callback] : [{}, options]
  if (HOME.test(host)) return lookup('127.0.0.1', how, done)
  process.nextTick(done, refuse('lookup', host))
}
for (const resolver of [dns.promises, dns.promises.Resolver.prototype]) {
  for (const method of ['resolve', 'resolve4', 'resolveTxt']) {
    resolver[method] = async (host) => {
      throw refuse(method, host)
    }
  }
}

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (...args) {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0]
  const to = typeof first === 'object' ? first : { port: first, host: args[1] }
  if (to && to.host && !to.path && net.isIP(to.host) && !HOME.test(to.host)) throw refuse('connect', to.host)
  return connect.apply(this, args)
}
