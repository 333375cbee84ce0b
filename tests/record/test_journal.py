from recipe.record.journal import Journal

RECORDS = [{"trial": 0, "value": 0.5}, {"trial": 1, "value": "nan"}, {"trial": 2, "note": "ü\n"}]


def write(path):
    journal = Journal(path)
    for record in RECORDS:
        journal.append(record)


def test_records_come_back(tmp_path):
    write(tmp_path / "j")
    assert Journal(tmp_path / "j").records == RECORDS


def test_cut_at_every_byte_reopens_to_the_last_whole_record_and_goes_on(tmp_path):
    write(tmp_path / "whole")
    text = (tmp_path / "whole").read_bytes()
    ends = [i + 1 for i, byte in enumerate(text) if byte == ord("\n")]
    for cut in range(len(text) + 1):
        path = tmp_path / "torn"
        path.write_bytes(text[:cut])
        journal = Journal(path)
        assert journal.records == RECORDS[: sum(end <= cut for end in ends)]
        journal.append({"after": cut})
        assert Journal(path).records[-1] == {"after": cut}


def test_a_flipped_bit_is_noticed(tmp_path):
    write(tmp_path / "j")
    text = bytearray((tmp_path / "j").read_bytes())
    for position in range(len(text)):
        damaged = bytearray(text)
        damaged[position] ^= 1
        (tmp_path / "damaged").write_bytes(damaged)
        found = Journal(tmp_path / "damaged").records
        assert found == RECORDS[: len(found)]
        assert len(found) < len(RECORDS)
