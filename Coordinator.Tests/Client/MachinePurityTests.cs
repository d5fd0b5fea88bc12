using System.Reflection;
using Coordinator.Client.Machine;

namespace Coordinator.Tests.Client;

public sealed class MachinePurityTests
{
    private static readonly Type[] Impure =
    [
        typeof(TimeProvider), typeof(DateTime), typeof(DateTimeOffset), typeof(Task), typeof(Task<>),
        typeof(ValueTask), typeof(ValueTask<>), typeof(CancellationToken), typeof(Timer), typeof(Thread), typeof(Lock),
    ];

    [Fact]
    public void Nothing_in_the_machine_keeps_takes_gives_or_uses_a_clock_a_task_or_a_thread()
    {
        const BindingFlags all = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public
            | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        Type[] machine = [.. typeof(ClientMachine).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(ClientMachine).Namespace)];
        Assert.NotEmpty(machine);
        foreach (Type type in machine)
        {
            Assert.All(type.GetFields(all), field => AssertPure(type, field.FieldType));
            foreach (MethodBase method in type.GetMembers(all).OfType<MethodBase>())
            {
                Assert.All(method.GetParameters(), parameter => AssertPure(type, parameter.ParameterType));
                Assert.All(method.GetMethodBody()?.LocalVariables ?? [], local => AssertPure(type, local.LocalType));
                if (method is MethodInfo { ReturnType: var returned })
                    AssertPure(type, returned);
            }
        }
    }

    private static void AssertPure(Type owner, Type used)
    {
        Type plain = used.IsGenericType ? used.GetGenericTypeDefinition() : used;
        Assert.False(Impure.Contains(plain), $"{owner} uses {used}.");
    }
}
