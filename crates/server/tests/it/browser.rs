//! A browser as far as our pages need one: cookies, forms, no script.

use std::collections::BTreeMap;

use spaceport_testkit::http::{Call, Client, Response};

use crate::harness::Server;

/// Somebody at a browser.
pub(crate) struct Browser<'a> {
    server: &'a Server,
    client: Client,
    cookies: BTreeMap<String, String>,
}

/// A form on a page.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Form {
    /// The same form with a field of this value.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }
}

/// What stands between `before` and the next `after`.
pub(crate) fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&#38;", "&").replace("&#34;", "\"").replace("&#39;", "'");
    text.replace("&#60;", "<").replace("&#62;", ">").replace("&amp;", "&").replace("&quot;", "\"")
}

/// The forms of a page with their hidden fields.
pub(crate) fn forms(page: &str) -> Vec<Form> {
    let forms = page.split("<form ").skip(1).map(|form| form.split("</form>").next().unwrap());
    let fields = |form: &str| {
        let hidden = form.split("<input ").skip(1).filter(|input| input.starts_with("type=\"hidden\""));
        let pair = |input: &str| {
            let value = between(input, "value=\"", "\"").unwrap_or_default();
            (between(input, "name=\"", "\"").unwrap().to_owned(), unescaped(value))
        };
        hidden.map(pair).collect()
    };
    forms
        .map(|form| Form { action: between(form, "action=\"", "\"").unwrap().to_owned(), fields: fields(form) })
        .collect()
}

impl<'a> Browser<'a> {
    pub(crate) fn new(server: &'a Server) -> Self {
        Self { server, client: server.client.clone(), cookies: BTreeMap::new() }
    }

    /// A browser in which this person is signed in, by a link of the host.
    pub(crate) async fn of(server: &'a Server, username: &str) -> Self {
        let mut browser = Self::new(server);
        let body = serde_json::json!({ "profile": format!("username:{username}") });
        let host = server.host().await;
        let link =
            server.client.post("/api/host/v1/sessions").bearer(&host).json(&body).send().await.expect(200).json();
        let url = link["url"].as_str().unwrap().to_owned();
        let path = url.strip_prefix(&server.running.public_url).unwrap().to_owned();
        browser.get(&path).await.expect(303);
        browser
    }

    /// A browser in which the administrator is signed in, by the link of the first start; it works once.
    pub(crate) async fn administrator(server: &'a Server) -> Self {
        let mut browser = Self::new(server);
        let link = server.running.administrator_link().unwrap();
        let path = link.strip_prefix(&server.running.public_url).unwrap().to_owned();
        let form = forms(browser.get(&path).await.expect(200).text())[0].clone();
        browser.submit(&form).await.expect(200);
        browser
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Opens a page, without following redirects.
    pub(crate) async fn get(&mut self, path: &str) -> Response {
        let call = self.client.get(path);
        self.send(call).await
    }

    /// Sends a form.
    pub(crate) async fn submit(&mut self, form: &Form) -> Response {
        self.submit_with(form, |call| call).await
    }

    /// Sends a form with further headers.
    pub(crate) async fn submit_with(&mut self, form: &Form, more: impl FnOnce(Call) -> Call) -> Response {
        let fields: Vec<(&str, &str)> =
            form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let call = more(self.client.post(&form.action).form(&fields));
        self.send(call).await
    }

    async fn send(&mut self, call: Call) -> Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let call = if cookies.is_empty() { call } else { call.header("cookie", &cookies.join("; ")) };
        let answer = call.send().await;
        for set in answer.headers.get_all("set-cookie") {
            let (pair, attributes) = set.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Asks for authorization and agrees if asked; the parameters of the answer.
    pub(crate) async fn authorize(&mut self, query: &str) -> BTreeMap<String, String> {
        let mut answer = self.get(&format!("/oauth/auth?{query}")).await;
        if answer.status == 200 {
            let form = forms(answer.text())[0].clone().with("decision", "allow");
            answer = self.submit(&form).await;
        }
        let answer = answer.expect(303);
        parameters(answer.header("location"))
    }

    pub(crate) fn server(&self) -> &'a Server {
        self.server
    }
}

/// The parameters in the query or fragment of a URL.
pub(crate) fn parameters(url: &str) -> BTreeMap<String, String> {
    let url = url::Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    let text = url.fragment().or(url.query()).unwrap_or_default().to_owned();
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// A query of these parameters.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
