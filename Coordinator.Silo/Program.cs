using Coordinator.Silo.Hosting;
using Coordinator.Silo.Operator;

return (int)(OperatorCommands.Knows(args) ? await OperatorCommands.RunAsync(args) : await SiloLifetime.RunAsync(args));
