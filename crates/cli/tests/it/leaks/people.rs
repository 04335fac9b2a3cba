//! Secrets of people and of what they agree to: links, session cookies, passwords, codes, refresh tokens.

use serde_json::json;
use spaceport_testkit::http::{Call, Response};

use super::{Session, cookies};

const BACK: &str = "https://tracker.example/back";
const PASSWORD: &str = "correct horse battery staple";

/// The value of a hidden field of the page's form for this path.
fn hidden(page: &Response, action: &str, name: &str) -> String {
    let form = page.text().split(&format!("action=\"{action}\"")).nth(1).unwrap().split("</form>").next().unwrap();
    let value = form.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap().split('"').next().unwrap();
    value.replace("&#38;", "&").replace("&amp;", "&")
}

/// A parameter of the URL that an answer leads to.
fn led_to(answer: &Response, parameter: &str) -> String {
    let url = url::Url::parse("http://here").unwrap().join(answer.header("location")).unwrap();
    let found = url.query_pairs().find(|(name, _)| name == parameter);
    found.unwrap_or_else(|| panic!("{url} has no {parameter}")).1.into_owned()
}

impl Session {
    /// A user whom the host hands over chooses a password, signs in with it and lets an application act for him.
    pub(super) async fn people(&mut self) {
        let host = self.token(&self.first("hostClientId"), &self.first("hostClientSecret")).await;
        let call = self.client.put("/api/host/v1/directory/profiles/ann").bearer(&host);
        self.ask(call.json(&json!({ "username": "ann" }))).await.expect(200);
        let call = self.client.post("/api/host/v1/sessions").bearer(&host).json(&json!({ "profile": "id:ann" }));
        let link = self.ask(call).await.expect(200).json()["url"].as_str().unwrap().to_owned();
        let path = link.strip_prefix("http://spaceport.test").unwrap();
        self.saw("hand-over code", path.split("code=").nth(1).unwrap().split('&').next().unwrap());
        let handed_over = self.ask(self.client.get(path)).await.expect(303);
        let cookie = self.cookie(&handed_over);
        self.ask(self.client.get(path)).await.expect(410);
        let cookie = self.password(&cookie).await;
        self.agreement(&cookie).await;
    }

    fn cookie(&mut self, answer: &Response) -> String {
        let cookie = cookies(answer);
        self.saw("cookie", cookie.split_once('=').unwrap().1);
        cookie
    }

    /// Chooses a password, and signs in with it after a wrong one; answers the cookie.
    async fn password(&mut self, cookie: &str) -> String {
        self.saw("password", PASSWORD);
        let page = self.ask(self.client.get("/account").header("cookie", cookie)).await.expect(200);
        let token = hidden(&page, "/account/password", "token");
        for (again, status) in [("something else entirely", 422), (PASSWORD, 303)] {
            let form = [("token", token.as_str()), ("password", PASSWORD), ("again", again)];
            let call = self.client.post("/account/password").header("cookie", cookie).form(&form);
            let answer = self.ask(call).await.expect(status);
            if status == 303 {
                self.cookie(&answer);
            }
        }
        let page = self.ask(self.client.get("/login")).await.expect(200);
        let (visitor, token) = (self.cookie(&page), hidden(&page, "/login", "token"));
        let form = |password: &str| {
            let form = [("token", token.as_str()), ("username", "ann"), ("password", password)];
            self.client.post("/login").header("cookie", &visitor).form(&form)
        };
        let (wrong, right): (Call, Call) = (form(&format!("{PASSWORD}x")), form(PASSWORD));
        self.ask(wrong).await.expect(422);
        let answer = self.ask(right).await.expect(303);
        self.cookie(&answer)
    }

    /// Lets an application act for the user; its tokens are used, renewed, replayed and asked about.
    async fn agreement(&mut self, cookie: &str) {
        let flow = json!({ "codeFlowEnabled": true, "codeFlowRedirectURIs": BACK });
        let (_, client_id, secret) = self.application("tracker", flow).await;
        let query = [
            ("response_type", "code"),
            ("client_id", client_id.as_str()),
            ("redirect_uri", BACK),
            ("scope", "global:Profile.View"),
            ("access_type", "offline"),
        ];
        let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let page = self.client.get(&format!("/oauth/auth?{query}")).header("cookie", cookie);
        let page = self.ask(page).await.expect(200);
        let [token, request, shown] = ["token", "request", "shown"].map(|name| hidden(&page, "/oauth/auth", name));
        let form = [
            ("shown", shown.as_str()),
            ("token", token.as_str()),
            ("request", request.as_str()),
            ("decision", "allow"),
        ];
        let allowed = self.ask(self.client.post("/oauth/auth").header("cookie", cookie).form(&form)).await.expect(303);
        let code = led_to(&allowed, "code");
        self.saw("authorization code", &code);
        let redeem = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", BACK)];
        let elsewhere = [redeem[0], redeem[1], ("redirect_uri", "https://elsewhere.example")];
        let ask = |form: &[(&str, &str)]| self.client.post("/oauth/token").basic(&client_id, &secret).form(form);
        let (first, replay) = (ask(&redeem), ask(&elsewhere));
        let issued = self.ask(first).await.expect(200).json();
        let (access, refresh) = (issued["access_token"].as_str().unwrap(), issued["refresh_token"].as_str().unwrap());
        self.saw("access token of a user", access.rsplit('.').next().unwrap());
        self.saw("refresh token", refresh);
        self.ask(self.client.get("/api/http/team-directory/profiles/me").bearer(access)).await.expect(200);
        for (token, status) in [(refresh, 200), ("a-refresh-token-that-nobody-issued", 400)] {
            let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
            let call = self.client.post("/oauth/token").basic(&client_id, &secret).form(&form);
            let answer = self.ask(call).await.expect(status).json();
            if let Some(renewed) = answer["refresh_token"].as_str() {
                self.saw("refresh token", renewed);
            }
        }
        for path in ["/oauth/introspect", "/oauth/revoke"] {
            let call = self.client.post(path).basic(&client_id, &secret).form(&[("token", refresh)]);
            self.ask(call).await.expect(200);
        }
        self.ask(replay).await.expect(400);
    }
}
