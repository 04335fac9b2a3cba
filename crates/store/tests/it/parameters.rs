//! Facts about parameters.

use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_platform::parameter::{Parameter, ParameterOwner};
use spaceport_store::{Store, StoreError};

use crate::make::{application, at};

fn parameter(key: &str, value: &str) -> Parameter {
    Parameter { key: key.to_owned(), value: value.to_owned() }
}

pub(crate) async fn facts(store: &Store) {
    let own = ParameterOwner { application: ApplicationId::new("a"), profile: None };
    let of_ann = ParameterOwner { application: ApplicationId::new("a"), profile: Some(ProfileId::new("ann")) };
    let of_bob = ParameterOwner { application: ApplicationId::new("a"), profile: Some(ProfileId::new("bob")) };
    let other = ParameterOwner { application: ApplicationId::new("b"), profile: None };
    let (first, second) = (own.clone(), of_ann.clone());
    let made = store.write(move |tx| {
        tx.insert_application(&application("a"))?;
        tx.set_parameter(&first, &parameter("b", "1"), at(0))?;
        tx.set_parameter(&first, &parameter("B", "2"), at(0))?;
        tx.set_parameter(&first, &parameter("a-ü🚀", "3"), at(0))?;
        tx.set_parameter(&first, &parameter("b", "4"), at(1))?;
        tx.set_parameter(&second, &parameter("b", "5"), at(1))?;
        Ok::<_, StoreError>(())
    });
    made.await.unwrap();

    let all = async |owner: &ParameterOwner| {
        let owner = owner.clone();
        store.read(move |tx| tx.parameters(&owner)).await.unwrap_or_else(|error: StoreError| panic!("{error}"))
    };
    let expected = [parameter("B", "2"), parameter("a-ü🚀", "3"), parameter("b", "4")];
    assert_eq!(all(&own).await, expected, "one order on every engine, and the last value counts");
    assert_eq!(all(&of_ann).await, [parameter("b", "5")]);
    assert_eq!(all(&of_bob).await, []);
    assert_eq!(all(&other).await, []);

    let asked = own.clone();
    let read = store.read(move |tx| {
        Ok::<_, StoreError>((tx.parameter(&asked, "b")?, tx.parameter(&asked, "c")?, tx.parameter_count(&asked)?))
    });
    assert_eq!(read.await.unwrap(), (Some("4".to_owned()), None, 3));

    let asked = own.clone();
    let removed = store
        .write(move |tx| Ok::<_, StoreError>((tx.remove_parameter(&asked, "b")?, tx.remove_parameter(&asked, "b")?)));
    assert_eq!(removed.await.unwrap(), (true, false));
    assert_eq!(all(&of_ann).await, [parameter("b", "5")], "a person's parameter of the same key stays");
}
