//! Rows: what an application adds to the product's pages.

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{Case, case};

fn body(extensions: Value) -> Value {
    json!({ "contextIdentifier": "global", "extensions": extensions })
}

pub(crate) fn rows() -> Vec<Case> {
    let bot = json!({ "className": "ChatBotUiExtensionIn" });
    vec![
        case("api.ui_extension.update")
            .body(body(json!([bot])))
            .malformed(body(json!([bot, bot])), "extensions[1].className")
            .malformed(body(json!([{ "className": "PageUiExtensionIn" }])), "extensions[0]")
            .malformed(body(json!([{ "className": "TopLevelPageUiExtensionIn", "displayName": "Page" }])), "uniqueCode")
            .malformed(body(json!(vec![bot.clone(); 101])), "extensions")
            .malformed(body(json!(7)), "extensions")
            .malformed(json!({ "extensions": [] }), "contextIdentifier")
            .malformed(json!({ "contextIdentifier": "global" }), "extensions"),
        case("api.ui_extension.list")
            .query("contextIdentifier=global")
            .with(|server, made| {
                async {
                    let body = body(json!([{ "className": "ApplicationHomepageUiExtensionIn", "iframeUrl": "/page" }]));
                    let path = "/api/http/applications/ui-extensions";
                    server.client.patch(path).bearer(&made.token).json(&body).send().await.expect(200);
                    Vec::new()
                }
                .boxed()
            })
            .answers(|found| {
                let page = json!({ "className": "ApplicationHomepageUiExtensionApi", "iframeUrl": "/page" });
                assert_eq!(*found, json!([page]));
            }),
    ]
}
