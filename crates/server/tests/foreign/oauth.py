"""Two Python libraries go through every flow they have; prints what each got done, one line a flow."""
import json
import os
import re
import sys
from html import unescape
from urllib.parse import urljoin

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient, MobileApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session as OauthlibSession

told = json.loads(sys.stdin.read())
URL, BACK, SCOPE = told["url"], told["back"], "global:Profile.View"
ID, SECRET, PUBLIC = told["id"], told["secret"], told["public"]
USERNAME, PASSWORD = told["username"], told["password"]
AUTHORIZE, TOKEN, REVOKE, INTROSPECT = (f"{URL}/oauth/{name}" for name in ("auth", "token", "revoke", "introspect"))


def done(library, flow):
    print(f"{library}: {flow}")


def agree(url):
    """Somebody with a fresh browser who signs in and agrees; the URL he ends at."""
    browser = requests.Session()
    answer = browser.get(url, allow_redirects=False)
    for _ in range(8):
        if answer.status_code == 303:
            url = urljoin(url, answer.headers["location"])
            if url.startswith(BACK):
                return url
            answer = browser.get(url, allow_redirects=False)
            continue
        assert answer.status_code == 200, (answer.status_code, answer.text)
        form = answer.text.split("<form ")[1].split("</form>")[0]
        fields = {
            re.search('name="([^"]*)"', field)[1]: unescape((re.search('value="([^"]*)"', field) or ["", ""])[1])
            for field in re.findall('<input type="hidden"[^>]*>', form)
        }
        if 'name="username"' in form:
            fields |= {"username": USERNAME, "password": PASSWORD}
        else:
            fields |= {"decision": "allow"}
        answer = browser.post(urljoin(url, re.search('action="([^"]*)"', form)[1]), fields, allow_redirects=False)
    raise AssertionError("one is led in circles")


def lives(token):
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{URL}/api/http/applications/me", headers=headers).status_code != 401


def authlib():
    document = requests.get(f"{URL}/.well-known/oauth-authorization-server").json()
    # It insists on https, rightly; the server of a test has none.
    AuthorizationServerMetadata(json.loads(json.dumps(document).replace("http://", "https://"))).validate()
    done("authlib", "metadata")
    for method in ("client_secret_basic", "client_secret_post"):
        own = AuthlibSession(ID, SECRET, scope="**", token_endpoint_auth_method=method)
        own.fetch_token(TOKEN, grant_type="client_credentials")
        assert own.get(f"{URL}/api/http/applications/me").json()["clientId"] == ID
        done("authlib", f"client credentials by {method}")

        session = AuthlibSession(
            ID, SECRET, scope=SCOPE, redirect_uri=BACK, code_challenge_method="S256", token_endpoint_auth_method=method
        )
        verifier = generate_token(64)
        url, state = session.create_authorization_url(AUTHORIZE, code_verifier=verifier, access_type="offline")
        token = session.fetch_token(TOKEN, authorization_response=agree(url), state=state, code_verifier=verifier)
        assert token["scope"] == SCOPE and lives(token["access_token"])
        done("authlib", f"code by {method}")
        fresh = session.refresh_token(TOKEN, refresh_token=token["refresh_token"])
        assert fresh["access_token"] != token["access_token"] and lives(fresh["access_token"])
        done("authlib", f"refresh by {method}")
        facts = session.introspect_token(INTROSPECT, token=fresh["access_token"], token_type_hint="access_token").json()
        assert facts["active"] and facts["client_id"] == ID and facts["scope"] == SCOPE
        done("authlib", f"introspection by {method}")
        session.revoke_token(REVOKE, token=token["refresh_token"], token_type_hint="refresh_token").raise_for_status()
        assert not lives(fresh["access_token"])
        done("authlib", f"revocation by {method}")
        session = AuthlibSession(ID, SECRET, scope=SCOPE, token_endpoint_auth_method=method)
        token = session.fetch_token(TOKEN, username=USERNAME, password=PASSWORD)
        assert lives(token["access_token"])
        done("authlib", f"password by {method}")

    session = AuthlibSession(
        PUBLIC, scope=SCOPE, redirect_uri=BACK, code_challenge_method="S256", token_endpoint_auth_method="none"
    )
    verifier = generate_token(64)
    url, state = session.create_authorization_url(AUTHORIZE, code_verifier=verifier, access_type="offline")
    token = session.fetch_token(TOKEN, authorization_response=agree(url), state=state, code_verifier=verifier)
    fresh = session.refresh_token(TOKEN, refresh_token=token["refresh_token"])
    assert fresh["refresh_token"] != token["refresh_token"] and lives(fresh["access_token"])
    done("authlib", "code and refresh without a secret")
    session = AuthlibSession(ID, scope=SCOPE, redirect_uri=BACK)
    url, state = session.create_authorization_url(AUTHORIZE, response_type="token")
    token = session.fetch_token(authorization_response=agree(url), state=state)
    assert lives(token["access_token"])
    done("authlib", "implicit")


def requests_oauthlib():
    basic = HTTPBasicAuth(ID, SECRET)
    for way, given in (("header", {"auth": basic}), ("body", {"client_secret": SECRET, "include_client_id": True})):
        own = OauthlibSession(client=BackendApplicationClient(ID, scope="**"))
        own.fetch_token(TOKEN, **given)
        assert own.get(f"{URL}/api/http/applications/me").json()["clientId"] == ID
        done("requests-oauthlib", f"client credentials in the {way}")

        session = OauthlibSession(ID, redirect_uri=BACK, scope=[SCOPE], pkce="S256")
        url, _ = session.authorization_url(AUTHORIZE, access_type="offline")
        token = session.fetch_token(TOKEN, authorization_response=agree(url), **given)
        assert lives(token["access_token"])
        done("requests-oauthlib", f"code with the secret in the {way}")
        refresh = {"auth": basic} if way == "header" else {"client_id": ID, "client_secret": SECRET}
        fresh = session.refresh_token(TOKEN, refresh_token=token["refresh_token"], **refresh)
        assert fresh["access_token"] != token["access_token"] and lives(fresh["access_token"])
        done("requests-oauthlib", f"refresh with the secret in the {way}")

        session = OauthlibSession(client=LegacyApplicationClient(ID, scope=[SCOPE]))
        token = session.fetch_token(TOKEN, username=USERNAME, password=PASSWORD, **given)
        assert lives(token["access_token"])
        done("requests-oauthlib", f"password with the secret in the {way}")

        url, headers, body = session._client.prepare_token_revocation_request(REVOKE, token["access_token"])
        requests.post(url, headers=headers, data=body, auth=basic).raise_for_status()
        assert not lives(token["access_token"])
        done("requests-oauthlib", "revocation")

    # As it comes: no secret, and an empty one by Basic all the same.
    session = OauthlibSession(PUBLIC, redirect_uri=BACK, scope=[SCOPE], pkce="S256")
    url, _ = session.authorization_url(AUTHORIZE)
    token = session.fetch_token(TOKEN, authorization_response=agree(url))
    assert lives(token["access_token"])
    done("requests-oauthlib", "code of a public client")

    session = OauthlibSession(client=MobileApplicationClient(ID), redirect_uri=BACK, scope=[SCOPE])
    url, _ = session.authorization_url(AUTHORIZE)
    token = session.token_from_fragment(agree(url))
    assert lives(token["access_token"])
    done("requests-oauthlib", "implicit")


{"authlib": authlib, "requests-oauthlib": requests_oauthlib}[told["library"]]()
