using Npgsql;

namespace Coordinator.Grains.Storage;

internal static class CommandParameters
{
    /// <summary>As <see cref="Add"/>, where there is no command.</summary>
    public static NpgsqlParameterCollection With<T>(this NpgsqlParameterCollection parameters, T value)
    {
        parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return parameters;
    }

    /// <summary>Adds the next positional parameter, its type taken from <typeparamref name="T"/>.</summary>
    public static NpgsqlCommand Add<T>(this NpgsqlCommand command, T value)
    {
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return command;
    }
}
