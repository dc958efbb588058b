// A real OpenID Connect provider on loopback, for the test of single sign-on: the library that publishes itself as certified by the
// OpenID Foundation, with its own pages for login and consent. Only what a company decides is set here: who is known, what is
// told of them, and which applications there are.
//
// Arguments: the folder of the library, and a JSON file `{issuer, peopleFile, clients, claimsInIdToken}`. `peopleFile` is read again
// for each answer, so that a test changes somebody's groups as an administrator of the provider does.

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, configurationFile] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(join(folder, 'node_modules/oidc-provider/lib/index.js')).href);
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const configuration = read(configurationFile);

const keys = [
  [generateKeyPairSync('rsa', { modulusLength: 2048 }), {}],
  [generateKeyPairSync('ec', { namedCurve: 'P-256' }), {}],
  [generateKeyPairSync('ec', { namedCurve: 'P-384' }), {}],
  [generateKeyPairSync('ed25519'), {}],
].map(([pair], number) => ({ ...pair.privateKey.export({ format: 'jwk' }), use: 'sig', kid: `key-${number}` }));

const provider = new Provider(configuration.issuer, {
  clients: configuration.clients,
  jwks: { keys },
  cookies: { keys: ['cookies of a test'] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] },
  claims: {
    profile: ['name', 'preferred_username'],
    email: ['email', 'email_verified'],
    groups: ['groups'],
  },
  // By the standard, claims of scopes are told at the userinfo endpoint; many providers put them into the ID token as well.
  conformIdTokenClaims: !configuration.claimsInIdToken,
  findAccount: (_context, id) => {
    const known = read(configuration.peopleFile)[id];
    return known && { accountId: id, claims: () => ({ sub: id, ...read(configuration.peopleFile)[id] }) };
  },
});

const { port, hostname } = new URL(configuration.issuer);
provider.listen(Number(port), hostname);
