//! The list of operations: what is registered here is served, described and access-checked.

use std::pin::Pin;
use std::sync::Arc;

use axum::response::Response;
use spaceport_platform::access::Principal;
use spaceport_wire::describe::{Method, Operation, Surface};
use spaceport_wire::fields::Selection;

use crate::http::access::{Access, Cx};
use crate::http::error::ApiError;
use crate::http::fields::{NamedFields, selection};
use crate::http::input::{Input, variables_of};
use crate::http::news::News;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::http::trail::Trail;

/// Largest body of an ordinary operation, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// What becomes of a `HEAD` request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Head {
    /// It is answered like `GET`, without the body.
    Answered,
    /// It is refused, because the `GET` changes something: programs that look at links before people follow them ask
    /// with `HEAD` (RFC 9110 9.2.1 expects no effect).
    Refused,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send>>;

/// A registered operation.
pub struct Route {
    /// Its description.
    pub operation: Operation,
    /// Largest body it reads, in bytes.
    pub body_limit: usize,
    /// Whether it matters who calls.
    pub reads_caller: bool,
    /// What becomes of a `HEAD` request.
    pub head: Head,
    pub(crate) run: Arc<dyn Fn(Request) -> Answer + Send + Sync>,
}

/// Operations of one surface. A handler's first parameter is a [`Cx`] with an [`Access`] rule;
/// anything else does not compile.
pub struct Routes {
    surface: Surface,
    routes: Vec<Route>,
}

impl Routes {
    /// No operations yet.
    pub fn new(surface: Surface) -> Self {
        Self { surface, routes: Vec::new() }
    }

    /// Adds a `GET` operation.
    #[must_use]
    pub fn get<M, H: Handler<M>>(
        self,
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.add(Method::Get, path, name, summary, handler)
    }

    /// Adds a `POST` operation.
    #[must_use]
    pub fn post<M, H: Handler<M>>(
        self,
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.add(Method::Post, path, name, summary, handler)
    }

    /// Adds a `PATCH` operation.
    #[must_use]
    pub fn patch<M, H: Handler<M>>(
        self,
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.add(Method::Patch, path, name, summary, handler)
    }

    /// Adds a `PUT` operation.
    #[must_use]
    pub fn put<M, H: Handler<M>>(
        self,
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.add(Method::Put, path, name, summary, handler)
    }

    /// Adds a `DELETE` operation.
    #[must_use]
    pub fn delete<M, H: Handler<M>>(
        self,
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.add(Method::Delete, path, name, summary, handler)
    }

    /// Adds the operations of one resource, in its own file's words.
    #[must_use]
    pub fn with(self, resource: impl FnOnce(Self) -> Self) -> Self {
        resource(self)
    }

    /// Sets the body limit of the operation added last, in bytes.
    #[must_use]
    pub fn with_body_limit(mut self, limit: usize) -> Self {
        if let Some(route) = self.routes.last_mut() {
            route.body_limit = limit;
        }
        self
    }

    /// Says that the `GET` added last changes something, so that `HEAD` is refused.
    #[must_use]
    pub fn without_head(mut self) -> Self {
        if let Some(route) = self.routes.last_mut() {
            route.head = Head::Refused;
        }
        self
    }

    /// The operations, to be served.
    pub fn into_routes(self) -> Vec<Route> {
        self.routes
    }

    fn add<M, H: Handler<M>>(
        mut self,
        method: Method,
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self {
        let mut operation = Operation {
            name,
            method,
            path,
            summary,
            access: String::new(),
            rights: Vec::new(),
            path_parameters: variables_of(path),
            query_parameters: Vec::new(),
            body: None,
            result: None,
            surface: self.surface,
        };
        H::describe(&mut operation);
        let run = Arc::new(move |request: Request| handler.clone().run(request));
        let head = Head::Answered;
        self.routes.push(Route { operation, body_limit: BODY_LIMIT, reads_caller: H::READS_CALLER, head, run });
        self
    }
}

/// An async function that answers an operation.
pub trait Handler<M>: Clone + Send + Sync + 'static {
    /// Whether its access rule looks at who calls.
    const READS_CALLER: bool;

    /// Adds access, inputs and result to the description.
    fn describe(operation: &mut Operation);

    /// Admits, reads the inputs, runs, replies.
    fn run(self, request: Request) -> Answer;
}

fn selected<O: Reply>(request: &Request) -> Result<Option<Selection>, ApiError> {
    if O::HAS_FIELDS { selection(&request.query) } else { Ok(None) }
}

fn describe_access<A: Access, O: Reply>(operation: &mut Operation) {
    operation.access = A::rule();
    operation.rights = A::rights();
    O::describe(operation);
}

/// Admits the caller and reads the body, in this order; where what is asked about stands in the body, the other way
/// round, but for callers alone who signed in.
async fn enter<A: Access>(request: Request) -> Result<(Cx<A>, Request), ApiError> {
    let early = A::READS_BODY && request.caller.principal != Principal::Nobody;
    let request = if early { request.read().await? } else { request };
    match admit(&request).await {
        Ok(cx) if early => Ok((cx, request)),
        Ok(cx) => Ok((cx, request.read().await?)),
        Err(refusal) => {
            request.discard().await;
            Err(refusal)
        }
    }
}

async fn admit<A: Access>(request: &Request) -> Result<Cx<A>, ApiError> {
    let access = A::admit(request).await?;
    let (caller, services) = (Arc::clone(&request.caller), request.services.clone());
    let (now, id) = (services.clock.now(), Arc::clone(&request.id));
    let trail = Trail::new(Arc::clone(&caller), request.operation, id, now, services.clone());
    let news = News::new(Arc::clone(&caller), now, services.clone());
    let fields = NamedFields::of(&request.query);
    Ok(Cx { access, caller, trail, news, fields, services })
}

impl<F, R, A, O> Handler<(A, O)> for F
where
    F: Fn(Cx<A>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<O, ApiError>> + Send,
    A: Access,
    O: Reply,
{
    const READS_CALLER: bool = A::READS_CALLER;

    fn describe(operation: &mut Operation) {
        describe_access::<A, O>(operation);
    }

    fn run(self, request: Request) -> Answer {
        Box::pin(async move {
            let (cx, request) = enter::<A>(request).await?;
            let selection = selected::<O>(&request)?;
            self(cx).await?.into_response(selection.as_ref())
        })
    }
}

impl<F, R, A, I, O> Handler<(A, I, O)> for F
where
    F: Fn(Cx<A>, I) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<O, ApiError>> + Send,
    A: Access,
    I: Input,
    O: Reply,
{
    const READS_CALLER: bool = A::READS_CALLER;

    fn describe(operation: &mut Operation) {
        describe_access::<A, O>(operation);
        I::describe(operation);
    }

    fn run(self, request: Request) -> Answer {
        Box::pin(async move {
            let (cx, request) = enter::<A>(request).await?;
            let selection = selected::<O>(&request)?;
            let input = I::read(&request)?;
            self(cx, input).await?.into_response(selection.as_ref())
        })
    }
}

impl<F, R, A, I, J, O> Handler<(A, I, J, O)> for F
where
    F: Fn(Cx<A>, I, J) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<O, ApiError>> + Send,
    A: Access,
    I: Input,
    J: Input,
    O: Reply,
{
    const READS_CALLER: bool = A::READS_CALLER;

    fn describe(operation: &mut Operation) {
        describe_access::<A, O>(operation);
        I::describe(operation);
        J::describe(operation);
    }

    fn run(self, request: Request) -> Answer {
        Box::pin(async move {
            let (cx, request) = enter::<A>(request).await?;
            let selection = selected::<O>(&request)?;
            let (first, second) = (I::read(&request)?, J::read(&request)?);
            self(cx, first, second).await?.into_response(selection.as_ref())
        })
    }
}
