// An OpenID Provider (oidc-provider) whose client gets access tokens for one audience. Its keys live as long as the
// process: another start is a rotation.
//   node provider.js PORT AUDIENCE TTL
import {generateKeyPairSync, randomUUID} from 'node:crypto';
import {Provider} from 'oidc-provider';

const [port, audience, ttl] = process.argv.slice(2);

function signingKey(alg, type, options) {
  const {privateKey} = generateKeyPairSync(type, options);
  return {...privateKey.export({format: 'jwk'}), alg, use: 'sig', kid: randomUUID()};
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: {
    keys: [
      signingKey('ES256', 'ec', {namedCurve: 'P-256'}),
      signingKey('RS256', 'rsa', {modulusLength: 2048}),
      signingKey('PS256', 'rsa', {modulusLength: 2048}),
    ],
  },
  clients: ['ES256', 'RS256', 'PS256'].map((alg) => ({
                                             client_id: `shop-${alg}`,
                                             client_secret: 'secret-of-a-test',
                                             grant_types: ['client_credentials'],
                                             redirect_uris: [],
                                             response_types: [],
                                           })),
  features: {
    devInteractions: {enabled: false},
    clientCredentials: {enabled: true},
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:orderbus',
      getResourceServerInfo: (_context, _resource, client) => ({
        scope: 'orders',
        audience,
        accessTokenTTL: Number(ttl),
        accessTokenFormat: 'jwt',
        jwt: {sign: {alg: client.clientId.split('-')[1]}},
      }),
    },
  },
});
provider.listen(Number(port), '127.0.0.1');
