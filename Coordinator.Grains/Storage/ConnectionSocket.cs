using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Npgsql;
using Npgsql.Internal;

// The connector is Npgsql's own business and may change with any version: see below for why it is reached for.
#pragma warning disable NPG9001

namespace Coordinator.Grains.Storage;

/// <summary>
/// Closes the socket under a command in flight. Npgsql itself only offers a cancel request, which is what rule 7
/// forbids: a cancelled wait for a synchronous standby answers success. So this reaches for the socket in its
/// connector, which the exact package version pins; another version without it fails at the first connection, not at
/// the first fault.
/// </summary>
internal static class ConnectionSocket
{
    /// <summary>The connection's socket; throws when it cannot be reached.</summary>
    public static Socket Of(NpgsqlConnection connection) =>
        ConnectorOf(connection) is { } connector && SocketOf(connector) is { } socket
            ? socket
            : throw new InvalidOperationException("The connection has no socket: it is not open.");

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Connector")]
    private static extern NpgsqlConnector? ConnectorOf(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_socket")]
    private static extern ref Socket? SocketOf(NpgsqlConnector connector);
}
