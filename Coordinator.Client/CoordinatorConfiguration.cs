using System.Runtime.CompilerServices;
using System.Text;
using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Client;

/// <summary>
/// Settings: values of up to 1 MiB under keys such as "app/setting". All members throw
/// <see cref="CoordinatorTimeoutException"/> if the cluster doesn't answer and nothing was changed,
/// <see cref="CoordinatorOutcomeUnknownException"/> if a write may have happened, and
/// <see cref="CoordinatorException"/> for any other refusal.
/// </summary>
public class CoordinatorConfiguration
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);
    private readonly ClientRuntime _runtime;

    internal CoordinatorConfiguration(ClientRuntime runtime) => _runtime = runtime;

    protected CoordinatorConfiguration() => _runtime = null!;

    /// <summary>Stores text, as UTF-8.</summary>
    public virtual Task<ConfigRevision> PutAsync(
        string key, string value, string contentType = "text/plain; charset=utf-8",
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(value);
        return PutAsync(key, StrictUtf8.GetBytes(value), contentType, cancellationToken);
    }

    /// <summary>Stores <paramref name="value"/>, which is copied.</summary>
    /// <param name="cancellationToken">Ends the wait; the write may or may not happen.</param>
    public virtual async Task<ConfigRevision> PutAsync(
        string key, ReadOnlyMemory<byte> value, string contentType = "",
        CancellationToken cancellationToken = default)
    {
        CheckKey(key);
        if (ResourceName.LabelProblem(contentType) is { } problem)
            throw new ArgumentException(problem, nameof(contentType));
        if (value.Length > Limits.ValueBytesMax)
            throw new ArgumentException(
                $"The value has {value.Length} bytes; at most {Limits.ValueBytesMax} are possible.", nameof(value));
        ByteString bytes = ByteString.CopyFrom(value.Span);
        Command command = new()
        {
            PutConfig = new PutConfig { Key = key, Value = bytes, ContentType = contentType ?? "" },
        };
        CommandResult result = (await WriteAsync(command, cancellationToken).ConfigureAwait(false)).Result;
        return new ConfigRevision(result.Revision, result.Version);
    }

    /// <returns>Null if there is no such key.</returns>
    public virtual async Task<ConfigEntry?> GetAsync(
        string key, ReadConsistency consistency = ReadConsistency.Linearizable,
        CancellationToken cancellationToken = default)
    {
        CheckKey(key);
        Query query = new()
        {
            Serializable = consistency == ReadConsistency.Serializable,
            GetConfig = new GetConfig { Key = key },
        };
        QueryAnswer answer = await ReadAsync(query, cancellationToken).ConfigureAwait(false);
        return answer.Error == ErrorCode.KeyNotFound || answer.Entries.Count == 0
            ? null
            : ToEntry(answer.Entries[0], answer.Position);
    }

    /// <returns>False if there was no such key.</returns>
    /// <param name="cancellationToken">Ends the wait; the deletion may or may not happen.</param>
    public virtual async Task<bool> DeleteAsync(string key, CancellationToken cancellationToken = default)
    {
        CheckKey(key);
        Command command = new() { DeleteConfig = new DeleteConfig { Key = key } };
        CommandAnswer answer = await WriteAsync(command, cancellationToken).ConfigureAwait(false);
        return answer.Result.Error == ErrorCode.Ok;
    }

    /// <summary>
    /// All settings whose key starts with <paramref name="prefix"/>, in ordinal order. Read in pages, each at its own
    /// position: what changes meanwhile may or may not be seen.
    /// </summary>
    public virtual async IAsyncEnumerable<ConfigEntry> ListAsync(
        string prefix = "", ReadConsistency consistency = ReadConsistency.Linearizable,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (ResourceName.PrefixProblem(prefix) is { } problem)
            throw new ArgumentException(problem, nameof(prefix));
        string after = "";
        QueryAnswer page;
        do
        {
            Query query = new()
            {
                Serializable = consistency == ReadConsistency.Serializable,
                ListConfig = new ListConfig { Prefix = prefix ?? "", AfterKey = after, Limit = Limits.PageItemsMax },
            };
            page = await ReadAsync(query, cancellationToken).ConfigureAwait(false);
            foreach (Contracts.ConfigEntry entry in page.Entries)
                yield return ToEntry(entry, page.Position);
            if (page.Entries.Count > 0)
                after = page.Entries[^1].Key;
        }
        while (page.More && page.Entries.Count > 0);
    }

    private async Task<CommandAnswer> WriteAsync(Command command, CancellationToken cancellationToken)
    {
        Completion completion =
            await _runtime.RunAsync(new WriteOperation(command), cancellationToken).ConfigureAwait(false);
        CommandAnswer answer = ((Completion.Answered)completion).Answer;
        ErrorCode error = answer.Result?.Error ?? ErrorCode.Internal;
        return error is ErrorCode.Ok or ErrorCode.KeyNotFound
            ? answer
            : throw new CoordinatorException(error, $"{error}. {answer.Message}".TrimEnd());
    }

    private async Task<QueryAnswer> ReadAsync(Query query, CancellationToken cancellationToken)
    {
        Completion completion =
            await _runtime.RunAsync(new QueryOperation(query), cancellationToken).ConfigureAwait(false);
        QueryAnswer answer = ((Completion.Read)completion).Answer;
        return answer.Error is ErrorCode.Ok or ErrorCode.KeyNotFound
            ? answer
            : throw new CoordinatorException(answer.Error, $"{answer.Error}. {answer.Message}".TrimEnd());
    }

    private static void CheckKey(string key)
    {
        if (ResourceName.Problem(key) is { } problem)
            throw new ArgumentException(problem, nameof(key));
    }

    private static ConfigEntry ToEntry(Contracts.ConfigEntry entry, Position? position) => new()
    {
        Key = entry.Key,
        Value = entry.Value.Memory,
        ContentType = entry.ContentType,
        Version = entry.Version,
        CreateRevision = entry.CreateRevision,
        ModifyRevision = entry.ModifyRevision,
        Position = position is null
            ? default
            : new LogPosition(position.Group, position.Term, position.Index, position.Revision),
    };
}
