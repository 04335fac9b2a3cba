// Three libraries for Node go through every flow they have; prints what each got done, one line a flow.
'use strict';
const assert = require('node:assert');
const told = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const { url, back, id, secret, username, password } = told;
const scope = 'global:Profile.View';

const done = (flow) => console.log(`${told.library}: ${flow}`);
const unescaped = (text) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)).replaceAll('&amp;', '&');

// Somebody with a fresh browser who signs in and agrees; the URL he ends at.
async function agree(start) {
  const cookies = new Map();
  const go = async (address, body) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(address, { method: body ? 'POST' : 'GET', body, redirect: 'manual', headers: { cookie } });
    for (const set of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
      if (set.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
    }
    return answer;
  };
  let here = String(start);
  let answer = await go(here);
  for (let step = 0; step < 8; step += 1) {
    if (answer.status === 303) {
      here = new URL(answer.headers.get('location'), here).href;
      if (here.startsWith(back)) return here;
      answer = await go(here);
      continue;
    }
    const page = await answer.text();
    assert.strictEqual(answer.status, 200, page);
    const form = page.split('<form ')[1].split('</form>')[0];
    const fields = new URLSearchParams();
    for (const [field] of form.matchAll(/<input type="hidden"[^>]*>/g)) {
      fields.append(/name="([^"]*)"/.exec(field)[1], unescaped((/value="([^"]*)"/.exec(field) ?? ['', ''])[1]));
    }
    if (form.includes('name="username"')) {
      fields.append('username', username);
      fields.append('password', password);
    } else fields.append('decision', 'allow');
    here = new URL(/action="([^"]*)"/.exec(form)[1], here).href;
    answer = await go(here, fields);
  }
  throw new Error('one is led in circles');
}

async function lives(token) {
  const answer = await fetch(`${url}/api/http/applications/me`, { headers: { authorization: `Bearer ${token}` } });
  return answer.status !== 401;
}

async function openidClient() {
  const client = await import('openid-client');
  const insecure = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] };
  const ways = { basic: [id, client.ClientSecretBasic(secret)], post: [id, client.ClientSecretPost(secret)] };
  ways.none = [told.public, client.None()];
  for (const [way, [who, authentication]] of Object.entries(ways)) {
    const config = await client.discovery(new URL(url), who, undefined, authentication, insecure);
    const verifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const start = client.buildAuthorizationUrl(config, {
      redirect_uri: back, scope, state, access_type: 'offline',
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    const landed = new URL(await agree(start.href));
    const tokens = await client.authorizationCodeGrant(config, landed, { pkceCodeVerifier: verifier, expectedState: state });
    assert(await lives(tokens.access_token) && tokens.scope === scope);
    done(`code by ${way}`);
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert(await lives(fresh.access_token));
    done(`refresh by ${way}`);
    await client.tokenRevocation(config, fresh.refresh_token);
    assert(!await lives(fresh.access_token));
    done(`revocation by ${way}`);
    if (way === 'none') continue;
    const own = await client.clientCredentialsGrant(config, { scope: '**' });
    const me = await client.fetchProtectedResource(config, own.access_token, new URL(`${url}/api/http/applications/me`), 'GET');
    assert.strictEqual((await me.json()).clientId, id);
    done(`client credentials by ${way}`);
    const facts = await client.tokenIntrospection(config, own.access_token);
    assert(facts.active && facts.client_id === id);
    assert(!(await client.tokenIntrospection(config, fresh.access_token)).active);
    done(`introspection by ${way}`);
    const typed = await client.genericGrantRequest(config, 'password', { username, password, scope });
    assert(await lives(typed.access_token));
    done(`password by ${way}`);
  }
}

async function oauth4webapi() {
  const o = await import('oauth4webapi');
  const insecure = { [o.allowInsecureRequests]: true };
  const issuer = new URL(url);
  const found = await o.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' });
  const as = await o.processDiscoveryResponse(issuer, found);
  done('discovery');
  const ways = { basic: [id, o.ClientSecretBasic(secret)], post: [id, o.ClientSecretPost(secret)] };
  ways.none = [told.public, o.None()];
  for (const [way, [client_id, authentication]] of Object.entries(ways)) {
    const client = { client_id };
    const verifier = o.generateRandomCodeVerifier();
    const state = o.generateRandomState();
    const start = new URL(as.authorization_endpoint);
    for (const [name, value] of Object.entries({
      client_id, redirect_uri: back, response_type: 'code', scope, state, access_type: 'offline',
      code_challenge: await o.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    })) start.searchParams.set(name, value);
    const parameters = o.validateAuthResponse(as, client, new URL(await agree(start.href)), state);
    const redeemed = await o.authorizationCodeGrantRequest(as, client, authentication, parameters, back, verifier, insecure);
    const tokens = await o.processAuthorizationCodeResponse(as, client, redeemed);
    assert(await lives(tokens.access_token));
    done(`code by ${way}`);
    const refreshed = await o.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token, insecure);
    const fresh = await o.processRefreshTokenResponse(as, client, refreshed);
    assert(await lives(fresh.access_token));
    done(`refresh by ${way}`);
    await o.processRevocationResponse(await o.revocationRequest(as, client, authentication, fresh.refresh_token, insecure));
    assert(!await lives(fresh.access_token));
    done(`revocation by ${way}`);
    if (way === 'none') continue;
    const asked = await o.clientCredentialsGrantRequest(as, client, authentication, { scope: '**' }, insecure);
    const own = await o.processClientCredentialsResponse(as, client, asked);
    const resource = new URL(`${url}/api/http/applications/me`);
    const me = await o.protectedResourceRequest(own.access_token, 'GET', resource, new Headers(), null, insecure);
    assert.strictEqual((await me.json()).clientId, id);
    done(`client credentials by ${way}`);
    const looked = await o.introspectionRequest(as, client, authentication, own.access_token, insecure);
    const facts = await o.processIntrospectionResponse(as, client, looked);
    assert(facts.active && facts.client_id === id);
    done(`introspection by ${way}`);
    const typed = await o.genericTokenEndpointRequest(as, client, authentication, 'password', { username, password, scope }, insecure);
    assert(await lives((await o.processGenericTokenEndpointResponse(as, client, typed)).access_token));
    done(`password by ${way}`);
  }
}

async function simpleOauth2() {
  const { AuthorizationCode, ClientCredentials, ResourceOwnerPassword } = require('simple-oauth2');
  const auth = { tokenHost: url, tokenPath: '/oauth/token', revokePath: '/oauth/revoke' };
  const ways = {
    'header, encoded': { authorizationMethod: 'header', credentialsEncodingMode: 'strict' },
    'header, as it is': { authorizationMethod: 'header', credentialsEncodingMode: 'loose' },
    body: { authorizationMethod: 'body' },
  };
  for (const [way, options] of Object.entries(ways)) {
    const config = { client: { id, secret }, auth, options };
    const own = await new ClientCredentials(config).getToken({ scope: '**' });
    assert(await lives(own.token.access_token));
    done(`client credentials in the ${way}`);
    const typed = await new ResourceOwnerPassword(config).getToken({ username, password, scope });
    assert(await lives(typed.token.access_token));
    done(`password in the ${way}`);
    const flow = new AuthorizationCode({ ...config, auth: { ...auth, authorizePath: '/oauth/auth' } });
    const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
    const start = flow.authorizeURL({
      redirect_uri: back, scope, state: 's', access_type: 'offline',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
    });
    const code = new URL(await agree(start)).searchParams.get('code');
    const tokens = await flow.getToken({ code, redirect_uri: back, code_verifier: verifier });
    assert(await lives(tokens.token.access_token));
    done(`code in the ${way}`);
    const fresh = await tokens.refresh({ scope });
    assert(await lives(fresh.token.access_token));
    done(`refresh in the ${way}`);
    await fresh.revoke('access_token');
    assert(!await lives(fresh.token.access_token));
    await tokens.revokeAll();
    assert(!await lives(tokens.token.access_token));
    done(`revocation in the ${way}`);
  }
}

const all = { 'openid-client': openidClient, oauth4webapi, 'simple-oauth2': simpleOauth2 };
all[told.library]().catch((error) => {
  console.error(error, error.cause ?? '', error.data?.payload ?? '');
  process.exitCode = 1;
});
