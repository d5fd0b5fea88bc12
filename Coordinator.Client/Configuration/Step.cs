using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// What a transaction does. Each step sees what those before it did; a branch writes a key at most once.
/// </summary>
public sealed class Step
{
    private Step(Contracts.ConfigOperation operation) => Operation = operation;

    internal Contracts.ConfigOperation Operation { get; }

    /// <summary>Stores text, as UTF-8.</summary>
    /// <param name="bindToSession">See <see cref="PutOptions.BindToSession"/>.</param>
    public static Step Put(string key, string text, string contentType = Keys.PlainText, bool bindToSession = false) =>
        Put(key, Keys.Utf8(text), contentType, bindToSession);

    /// <inheritdoc cref="Put(string, string, string, bool)"/>
    public static Step Put(
        string key, ReadOnlySpan<byte> value, string contentType = "", bool bindToSession = false)
    {
        PutConfig put = Keys.MakePut(key, value, contentType);
        put.BindSession = bindToSession;
        return new Step(new Contracts.ConfigOperation { Put = put });
    }

    /// <summary>Deletes nothing, and is no error, if there is no such key.</summary>
    public static Step Delete(string key)
    {
        Keys.CheckKey(key);
        return new Step(new Contracts.ConfigOperation { Delete = new DeleteConfig { Key = key } });
    }

    /// <summary>Deletes all keys that begin with <paramref name="prefix"/>, which may not be empty.</summary>
    public static Step DeletePrefix(string prefix)
    {
        Keys.CheckPrefix(prefix);
        ArgumentException.ThrowIfNullOrEmpty(prefix);
        return new Step(new Contracts.ConfigOperation { DeletePrefix = new DeletePrefix { Prefix = prefix } });
    }

    /// <summary>Reads a key; the result's <see cref="StepResult.Entry"/> is null if there is none.</summary>
    public static Step Get(string key)
    {
        Keys.CheckKey(key);
        return new Step(new Contracts.ConfigOperation { Get = new ReadKey { Key = key } });
    }
}
