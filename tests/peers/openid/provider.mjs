// node --require ../loopback.js provider.mjs PORT ISSUER OUR_ADDRESS
// A certified OpenID provider with the people of a school, on this machine only. Signing in takes a name and any
// password. Prints one JSON line when it serves.
import Provider from 'oidc-provider'

const [port, issuer, ours] = [Number(process.argv[2]), process.argv[3], process.argv[4]]

const person = (name, email, groups, more = {}) => ({ name, email, email_verified: true, groups, hd: 'school.example', ...more })
const PEOPLE = {
  manager: person('Mo Manager', 'manager@school.example', ['staff', 'it']),
  head: person('Hana Head', 'head@school.example', ['staff', 'leadership']),
  teacher: person('Tess Teacher', 'teacher@school.example', ['staff']),
  namesake: person('Tess Teacher', 'teacher@school.example', ['staff']), // another subject with the same address
  newcomer: person('Nia New', 'nia@school.example', ['staff']),
  pupil: person('Paul Pupil', 'paul@school.example', ['pupils']),
  outsider: person('Olga Outsider', 'olga@elsewhere.example', [], { hd: 'elsewhere.example' }),
  unverified: person('Ulf Unverified', 'teacher@school.example', ['staff'], { email_verified: false }),
  private: person('Petra Private', 'teacher@school.example', ['staff'], { hd: undefined }), // made at home, with her school address
  promoted: person('Tess Teacher', 'teacher@school.example', ['staff', 'leadership']),
  groupless: person('Gert Groupless', 'teacher@school.example', undefined),
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'socialgov',
      client_secret: 'known-to-tests-only-0123456789abcdef',
      redirect_uris: [`${ours}/signin/openid/callback`],
      post_logout_redirect_uris: [`${ours}/signin`],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'RS256',
      require_auth_time: true,
    },
  ],
  scopes: ['openid', 'email', 'profile'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups', 'hd'] },
  conformIdTokenClaims: false, // claims of the scopes stand in the ID token, as Google and Entra do it
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  cookies: { keys: ['known-to-tests-only'] },
  findAccount: (_, subject) => PEOPLE[subject] && { accountId: subject, claims: () => ({ sub: subject, ...PEOPLE[subject] }) },
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Grant: 3600, Session: 3600 },
})
for (const fault of ['server_error', 'grant.error', 'authorization.error']) {
  provider.on(fault, (_, error) => console.error(fault, error.message, error.error_description || error.error_detail || ''))
}

const server = provider.listen(port, '127.0.0.1', () => console.log(JSON.stringify({ ready: true, issuer })))
const stop = () => server.close(() => process.exit(0)) && server.closeAllConnections()
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
process.stdin.on('end', stop).resume() // the test run that started us is gone, however it ended
