// An issuer (oauth2-mock-server) that puts into a token what the request for it says: the form's `claims` are JSON, and
// null takes a claim away. Its key lives as long as the process: another start is a rotation.
//   node mock.js PORT
import {randomUUID} from 'node:crypto';
import {OAuth2Server} from 'oauth2-mock-server';

const server = new OAuth2Server();
await server.issuer.keys.generate(
    'ES256', {kid: randomUUID()});  // without one it is too long: see A4 in docs/security.md
server.service.on('beforeTokenSigning', (token, request) => {
  for (const [name, value] of Object.entries(JSON.parse(request.body.claims ?? '{}'))) {
    if (value === null)
      delete token.payload[name];
    else
      token.payload[name] = value;
  }
});
await server.start(Number(process.argv[2]), '127.0.0.1');
server.issuer.url = `http://127.0.0.1:${process.argv[2]}`;
