'use strict'
// node pds.js PDS_PORT DIRECTORY_PORT SMTP_PORT DATA_FOLDER
// A personal data server of the AT Protocol with its identity directory, both real, both on this machine only. The
// directory keeps its identities in memory, so the data folder is used once. Prints one JSON line when it serves.
require('./loopback.js')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const directory = require('@did-plc/server')
const { PDS, envToCfg, envToSecrets, readEnv } = require('@atproto/pds')

const [pdsPort, directoryPort, smtpPort] = process.argv.slice(2, 5).map(Number)
const folder = process.argv[5]
const secret = () => crypto.randomBytes(32).toString('hex')

function settings() {
  const blobs = path.join(folder, 'blobs')
  fs.mkdirSync(blobs, { recursive: true })
  return {
    PDS_DEV_MODE: 'true',
    PDS_HOSTNAME: 'localhost',
    PDS_PORT: String(pdsPort),
    PDS_SERVICE_HANDLE_DOMAINS: '.test',
    PDS_DATA_DIRECTORY: folder,
    PDS_BLOBSTORE_DISK_LOCATION: blobs,
    PDS_JWT_SECRET: secret(),
    PDS_ADMIN_PASSWORD: secret(),
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: secret(),
    PDS_DID_PLC_URL: `http://localhost:${directoryPort}`,
    PDS_INVITE_REQUIRED: 'false',
    PDS_DISABLE_SSRF_PROTECTION: 'true',
    PDS_EMAIL_SMTP_URL: `smtp://127.0.0.1:${smtpPort}`,
    PDS_EMAIL_FROM_ADDRESS: 'pds@localhost.test',
    PDS_CRAWLERS: '',
    LOG_ENABLED: process.env.LOG_ENABLED || 'false',
  }
}

async function main() {
  const identities = directory.PlcServer.create({ db: directory.Database.mock(), port: directoryPort })
  await identities.start()
  Object.assign(process.env, settings())
  const environment = readEnv()
  const server = await PDS.create(envToCfg(environment), envToSecrets(environment))
  await server.start()
  const stop = async () => {
    await server.destroy()
    await identities.destroy()
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.stdin.on('end', stop).resume() // the test run that started us is gone, however it ended
  console.log(JSON.stringify({ ready: true, pds: `http://localhost:${pdsPort}` }))
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
