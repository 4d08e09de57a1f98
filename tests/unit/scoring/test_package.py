import io
import random
import zipfile

import msgspec
import pytest

import scored
from tondo.core.errors import DataError, TondoError
from tondo.scoring.archive import read_archive, write_archive
from tondo.scoring.package import open_package, seal


def test_what_is_opened_is_what_was_sealed():
    contents = scored.contents(runtime="lightgbm")
    assert open_package(seal(contents)) == contents


def test_the_order_of_features_is_kept():
    contents = scored.contents()
    assert list(open_package(seal(contents)).features) == list(contents.features)


def test_the_same_contents_give_the_same_bytes():
    assert seal(scored.contents(), key=b"k") == seal(scored.contents(), key=b"k")


def test_a_person_can_read_it_with_unzip():
    with zipfile.ZipFile(io.BytesIO(scored.package())) as archive:
        names = archive.namelist()
        features = msgspec.json.decode(archive.read("features.json"))
    assert {"manifest.json", "spec.json", "fitted.json", "schema.json", "samples.json"} < set(names)
    assert features[0]["name"] == "far"


def test_a_flipped_byte_anywhere_is_refused_and_named():
    data = scored.package()
    random.seed(7)
    for place in random.sample(range(len(data)), 400):
        damaged = bytearray(data)
        damaged[place] ^= 1 << random.randrange(8)
        with pytest.raises(DataError, match="TD-PACKAGE-00[12]"):
            open_package(bytes(damaged))


def test_a_flipped_byte_in_the_model_names_the_model():
    data = bytearray(scored.package(runtime="lightgbm"))
    data[data.index(b"leaf_value") + 20] ^= 1
    with pytest.raises(DataError) as refusal:
        open_package(bytes(data))
    assert refusal.value.code == "TD-PACKAGE-001"
    assert refusal.value.fields["file"] == "model/model.txt"


@pytest.mark.parametrize("cut", [0, 3, 100, -1])
def test_a_package_cut_short_is_refused(cut):
    with pytest.raises(DataError, match="TD-PACKAGE-00[12]"):
        open_package(scored.package()[:cut])


def test_bytes_after_the_end_are_refused():
    with pytest.raises(DataError, match="TD-PACKAGE-001"):
        open_package(scored.package() + b"more")


def hand_made(entries, compress=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compress) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    "name",
    ["../evil.json", "/etc/passwd", "model/../../x", "model/.hidden", "a\\b.json", "model/a/b"],
)
def test_names_that_leave_the_package_are_refused(name):
    with pytest.raises(DataError, match="TD-PACKAGE-002"):
        open_package(hand_made([(name, b"x")]))


def test_a_bomb_is_refused_before_it_expands():
    bomb = hand_made([("spec.json", b"0" * 50_000_000)], zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match="is compressed"):
        open_package(bomb)


def test_a_name_that_stands_twice_is_refused():
    with pytest.warns(UserWarning):
        data = hand_made([("spec.json", b"1"), ("spec.json", b"2")])
    with pytest.raises(DataError, match="TD-PACKAGE-002"):
        open_package(data)


def test_a_file_without_checksum_is_refused():
    entries = read_archive(scored.package())
    entries["model/extra.txt"] = b"x"
    with pytest.raises(DataError) as refusal:
        open_package(write_archive(entries))
    assert refusal.value.fields["file"] == "model/extra.txt"


def test_a_signature_of_the_same_key_is_accepted():
    assert open_package(seal(scored.contents(), key=b"ours"), key=b"ours").name == "late"


@pytest.mark.parametrize("sealed_with", [None, b"theirs"])
def test_without_our_signature_it_cannot_be_trusted(sealed_with):
    with pytest.raises(DataError, match="TD-PACKAGE-004"):
        open_package(seal(scored.contents(), key=sealed_with), key=b"ours")


def resealed(change):
    """A package whose manifest was changed by somebody who knows the format."""
    entries = read_archive(scored.package())
    change(entries)
    from tondo.scoring import package

    del entries["checksums.json"]
    entries["checksums.json"] = package._readable(package._checksums(entries))
    return write_archive(entries)


def edited(entries, name, **fields):
    entries[name] = msgspec.json.encode({**msgspec.json.decode(entries[name]), **fields})


def test_a_newer_language_is_refused():
    data = resealed(lambda entries: edited(entries, "manifest.json", language_version=99))
    with pytest.raises(DataError, match="TD-PACKAGE-005"):
        open_package(data)


def test_an_unknown_function_is_refused():
    def change(entries):
        entries["features.json"] = entries["features.json"].replace(b'"divide"', b'"os_system"')
        entries["features.json"] = entries["features.json"].replace(b'"hour"', b'"os_system"')

    with pytest.raises(DataError, match="TD-PACKAGE-007.*os_system"):
        open_package(resealed(change))


def test_a_feature_of_an_undeclared_column_is_refused():
    data = resealed(lambda entries: edited(entries, "manifest.json", inputs={"distanc": "double"}))
    with pytest.raises(DataError, match="TD-PACKAGE-007"):
        open_package(data)


def test_deeply_nested_json_is_refused_with_a_code():
    def change(entries):
        entries["features.json"] = b"[" * 100_000

    with pytest.raises(TondoError, match="TD-PACKAGE-007"):
        open_package(resealed(change))


def test_seal_refuses_what_could_not_be_opened():
    with pytest.raises(DataError, match="TD-PACKAGE-007"):
        seal(scored.contents(view_features=[("@w.f[o]", "w", "f", "o")]))
