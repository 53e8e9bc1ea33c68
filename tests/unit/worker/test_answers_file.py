"""One local file has the answers of all chunks, in the order in which they came."""

from pathlib import Path

from proxy.worker.geocoding.answers_file import AnswersFile, open_answers


def test_a_chunk_is_read_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "answers"
    with path.open("wb") as file, path.open("rb") as read:
        answers = AnswersFile(file)
        for number, content in ((7, b"[1]\n[2]\n"), (0, b""), (12, b'{"message":"7 1\\n"}\n'), (7, b"[3]\n")):
            answers.append(number, content)
        answers.flush()
        find = open_answers(read)
        assert [find(number) for number in (12, 0, 7, 3)] == [b'{"message":"7 1\\n"}\n', b"", b"[3]\n", None]
    assert answers.numbers == {0, 7, 12}
