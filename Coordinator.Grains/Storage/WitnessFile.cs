using System.Globalization;
using System.Text;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Storage;

/// <summary>
/// The file beside the silo that is a witness of one peer's storage (rule 4), in lines that a person can read. Invariant: it
/// holds what was last written, whole, from the moment that <see cref="Write"/> returns: a new file is flushed, takes the
/// old one's name, and the folder is flushed.
/// </summary>
internal sealed class WitnessFile : IWitness
{
    private const string Heading = "Coordinator witness 1";

    private readonly string _folder;
    private readonly string _path;
    private readonly Guid _storageId;

    /// <param name="folder">Of the silo alone. Of each storage id there is a file of its own.</param>
    public WitnessFile(string folder, Guid storageId)
    {
        _folder = folder;
        _storageId = storageId;
        _path = Path.Combine(folder, storageId.ToString("D"));
    }

    /// <summary>Null: there is none, and nothing is known.</summary>
    /// <exception cref="CorruptRowException">It is not as it was written: it may have said what can't be read any more.</exception>
    public StorageWitness? Read()
    {
        if (!File.Exists(_path))
        {
            return null;
        }

        string[] lines = File.ReadAllText(_path, Encoding.UTF8).Split('\n');
        if (lines.Length != 9 || lines[0] != Heading || lines[7] != $"checksum {Checksum(lines[..7])}"
            || lines[1] != $"storage {_storageId:D}")
        {
            throw new CorruptRowException($"file {_path}: checksum");
        }

        string verdict = lines[6]["verdict".Length..].Trim();
        return new StorageWitness(
            new StorageMark(_storageId, Number(lines[2]), Number(lines[3])),
            new DatabaseMoment(Number(lines[4]), Number(lines[5].Split(' ')[1]), Number(lines[5])),
            verdict.Length > 0 ? verdict : null);
    }

    public void Write(StorageWitness witness)
    {
        Directory.CreateDirectory(_folder);
        string[] lines =
        [
            Heading,
            $"storage {_storageId:D}",
            Invariant($"epoch {witness.Mark.Epoch}"),
            Invariant($"write {witness.Mark.WriteSeq}"),
            Invariant($"system {witness.Moment.System}"),
            Invariant($"timeline {witness.Moment.Timeline} lsn {witness.Moment.Lsn}"),
            $"verdict {witness.Verdict?.ReplaceLineEndings(" ")}",
        ];
        string text = string.Join('\n', lines) + $"\nchecksum {Checksum(lines)}\n";
        string next = _path + ".new";
        using (var stream = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(next, _path, overwrite: true);
        FolderFlush.Flush(_folder);
    }

    public Task<StorageWitness?> ReadAsync(CancellationToken cancellationToken) => Task.Run(Read, cancellationToken);

    public Task PrepareAsync(DatabaseMoment moment, CancellationToken cancellationToken) => File.Exists(_path)
        ? Task.CompletedTask
        : WriteAsync(new StorageWitness(new StorageMark(_storageId, 0, 0), moment), cancellationToken);

    /// <summary>A write that has begun is not cut short. Nobody else writes the file, so it is overwritten.</summary>
    public async Task<StorageMark> WriteAsync(StorageWitness witness, CancellationToken cancellationToken)
    {
        await Task.Run(() => Write(witness), CancellationToken.None);
        return witness.Mark;
    }

    public Task DeleteAsync(CancellationToken cancellationToken) => Task.Run(() => File.Delete(_path), cancellationToken);

    private static long Number(string line) => long.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Checksum(string[] lines) =>
        new RowChecksum(RowKind.WitnessFile).Add(Encoding.UTF8.GetBytes(string.Join('\n', lines))).Value
            .ToString(CultureInfo.InvariantCulture);
}
